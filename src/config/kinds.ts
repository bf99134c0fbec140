/** The kinds of value that a setting can have: a typebox schema, and what it expects in words. */
import Type, { type TSchema } from "typebox";

export interface Kind<T extends TSchema> {
  readonly schema: T;
  readonly expects: string;
}

export const whole = (minimum: number, maximum: number) => ({
  schema: Type.Integer({ minimum, maximum }),
  expects: `a whole number from ${minimum} to ${maximum}`,
});
export const text = (pattern: string, expects: string) => ({
  schema: Type.String({ pattern, maxLength: 1024 }),
  expects,
});
export const list = (pattern: string, expects: string) => ({
  schema: Type.Array(Type.String({ pattern }), { minItems: 1 }),
  expects,
});
export const choice = <const V extends string[]>(...values: V) => ({
  schema: Type.Unsafe<V[number]>(Type.String({ enum: values })),
  expects: `one of ${values.join(", ")}`,
});
/** Text such as "90s", "30m", "24h" or "7d"; `durationMs` reads it. */
export const duration = text("^[0-9]{1,6}(s|m|h|d)$", "a time such as 90s, 30m, 24h or 7d");
const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export function durationMs(value: string): number {
  return Number(value.slice(0, -1)) * unitMs[value.slice(-1) as keyof typeof unitMs];
}

export const flag = { schema: Type.Boolean(), expects: "true or false" };

export const guid = "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}";
export const guidText = text(`^${guid}$`, "a GUID");
/** What an operating system takes as one: 1 to 65535. */
const port = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
const ipv6 = "\\[[0-9a-fA-F:.]+\\]";
export const hostPort = `^(${ipv6}|[A-Za-z0-9._-]+):${port}$`;
const hostAndPath = `(${ipv6}|[^\\s/@?#:\\[\\]]+)(:${port})?(/[^\\s?#@]*)?$`;
export const url = text(
  `^https?://${hostAndPath}`,
  "an http:// or https:// address without user, query or fragment",
);
export const workerAddress = `https?://${hostAndPath}`;
export const httpsUrl = text(`^https://${hostAndPath}`, "an https:// address");
export const topicText = "[A-Za-z0-9._-]";
export const filled = text("\\S", "a text that is not blank");
/** Line breaks at the ends are removed before. A blank there is easily overlooked, and the receiver would refuse it. */
export const secretText = text(
  "^\\S(.*\\S)?$",
  "a text without line breaks inside, and without blanks at its ends",
);
