/** Why a record can't be registered: a value, never thrown. Codes are stable, others select by them. */

/** What decode() refuses with. Later stages add codes of their own (Graph refused, attempts exhausted). */
export const refusalCodes = [
  "value-empty",
  "value-too-large",
  "value-not-utf8",
  "value-not-json",
  "value-too-deep",
  "value-not-object",
  "value-unsafe-member",
  "content-type-unsupported",
  "attribute-missing",
  "attribute-invalid",
  "type-unknown",
  "tenant-missing",
  "tenant-malformed",
  "tenant-not-allowed",
  "data-missing",
  "data-not-object",
  "property-missing",
  "property-wrong-type",
  "property-empty",
  "property-too-long",
  "property-characters",
  "date-time-malformed",
  "date-time-impossible",
  "date-time-without-offset",
  "date-time-too-precise",
  // Several of the property and date-time faults above, at different properties.
  "properties-invalid",
] as const;

export type RefusalCode = (typeof refusalCodes)[number];

export interface Refusal {
  readonly code: RefusalCode | string;
  /** For people: what is wrong, where, and what to send instead. Never a whole event. */
  readonly message: string;
  /** JSON pointers into the event in structured form, also where it came in binary mode; "" is the whole event. */
  readonly pointers: readonly string[];
}

const maxQuotedCharacters = 60;

export function refusal(code: RefusalCode, message: string, pointers: readonly string[]): Refusal {
  return { code, message, pointers };
}

/** A value for a message: in quotes, control characters escaped, cut short. */
export function quote(value: string): string {
  if (value.length <= maxQuotedCharacters) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, maxQuotedCharacters))}… (${value.length} characters)`;
}
