/** What is wrong with each member of an object, by its typebox definition: only computed once it is known to be wrong. */
import type { TObject, TSchema } from "typebox";
import { Errors } from "typebox/value";
import { readDateTimeOffset } from "./date-time-offset.ts";
import type { JsonObject } from "./json-value.ts";
import { quote } from "./refusal.ts";

export type ViolationKind =
  | "missing"
  | "wrong-type"
  | "empty"
  | "too-long"
  | "characters"
  | "value"
  | "date-time-malformed"
  | "date-time-impossible"
  | "date-time-without-offset"
  | "date-time-too-precise";

export interface Violation {
  readonly pointer: string;
  readonly kind: ViolationKind;
  /** `/data/machineName is missing`. */
  readonly text: string;
}

/** All members that break their definition, in the definition's order, one violation each. */
export function violations(schema: TObject, object: JsonObject, prefix: "" | "/data"): Violation[] {
  const found: Violation[] = [];
  for (const [name, member] of Object.entries(schema.properties) as [string, TSchema][]) {
    const violation = memberViolation(member, object[name]);
    if (violation === null) continue;
    const pointer = `${prefix}/${name}`;
    found.push({ pointer, kind: violation.kind, text: `${pointer} ${violation.text}` });
  }
  return found;
}

/** What `member` may say about strings. */
interface StringLimits {
  readonly maxLength?: number;
  readonly const?: unknown;
  readonly format?: string;
}

function memberViolation(member: TSchema, value: unknown): { kind: ViolationKind; text: string } | null {
  if (value === undefined) return { kind: "missing", text: "is missing" };
  const [error] = Errors(member, value);
  if (error === undefined) return null;
  if (typeof value !== "string") {
    return { kind: "wrong-type", text: `is ${kindOf(value)} and must be a string` };
  }
  const limits: StringLimits = member;
  if (limits.format === "date-time") return dateTimeViolation(value);
  switch (error.keyword) {
    case "minLength":
      return { kind: "empty", text: "is empty" };
    case "maxLength":
      return { kind: "too-long", text: `is longer than ${limits.maxLength} characters` };
    case "const":
      return { kind: "value", text: `is ${quote(value)} and must be ${quote(String(limits.const))}` };
    default:
      return { kind: "characters", text: "has control characters or lone surrogates" };
  }
}

function dateTimeViolation(value: string): { kind: ViolationKind; text: string } {
  const shown = quote(value);
  if (value === "") return { kind: "empty", text: "is empty" };
  switch (readDateTimeOffset(value)) {
    case "without-offset":
      return { kind: "date-time-without-offset", text: `is ${shown}, without an offset (Z or ±hh:mm)` };
    case "too-precise":
      return {
        kind: "date-time-too-precise",
        text: `is ${shown}, with more than 7 fractional digits; write it as ${quote(cutToSeven(value))}`,
      };
    case "impossible":
      return { kind: "date-time-impossible", text: `is ${shown}, which is not a possible date and time` };
    default:
      return {
        kind: "date-time-malformed",
        text: `is ${shown}, not like 2016-12-31T23:57:59.3726057-08:00`,
      };
  }
}

/** Clocks count nanoseconds (Java's `now()`), Graph 100 of them. Cut, not rounded, so that no instant moves into the future. */
function cutToSeven(dateTime: string): string {
  return dateTime.replace(/(\.\d{7})\d+/, "$1");
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
