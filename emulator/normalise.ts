/** What a server may do to values that it is given: the forms in which it keeps date-times and names. Pure. */

import { readDateTimeOffset } from "./date-time.ts";
import type { GraphObject } from "./resource.ts";

export const normalisations = [
  /** Date-times are kept as UTC, with Z. */
  "utc",
  /** Fractions of a second are cut off. */
  "seconds",
  /** Fractions are cut to three digits. */
  "milliseconds",
  /** Zeros at the end of a fraction are dropped. */
  "trimmed-zeros",
  /** Blanks around connectorName and machineName are dropped. */
  "trimmed-names",
  /** connectorName and machineName are kept in upper or in lower case. */
  "upper-names",
  "lower-names",
] as const;
export type Normalisation = (typeof normalisations)[number];

type Details = Omit<GraphObject, "id">;

/** All of them, in the order of the list above. */
export function normalised(details: Details, how: readonly Normalisation[]): Details {
  if (how.length === 0) return details;
  const given = new Set(how);
  return {
    ...details,
    connectorName: nameIn(details.connectorName, given),
    machineName: nameIn(details.machineName, given),
    enrollmentDateTime: dateTimeIn(details.enrollmentDateTime, given),
    lastCheckinDateTime: dateTimeIn(details.lastCheckinDateTime, given),
  };
}

function nameIn(name: string, given: ReadonlySet<Normalisation>): string {
  const trimmed = given.has("trimmed-names") ? name.trim() : name;
  if (given.has("upper-names")) return trimmed.toUpperCase();
  return given.has("lower-names") ? trimmed.toLowerCase() : trimmed;
}

function dateTimeIn(text: string, given: ReadonlySet<Normalisation>): string {
  const parts = /^(.{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const read = readDateTimeOffset(text);
  if (parts === null || read === null) return text;
  const [, local = "", written = "", offset = ""] = parts;
  const isUtc = given.has("utc");
  const seconds = Number(read.instant.split(".")[0]);
  const whole = isUtc ? new Date(seconds * 1000).toISOString().slice(0, 19) : local;
  // Before the year 1 there is no form for it.
  if (whole.length !== 19 || whole.startsWith("-") || whole.startsWith("0000")) return text;
  let fraction = written;
  if (given.has("seconds")) fraction = "";
  if (given.has("milliseconds")) fraction = fraction.slice(0, 3);
  if (given.has("trimmed-zeros")) fraction = fraction.replace(/0+$/, "");
  return `${whole}${fraction === "" ? "" : `.${fraction}`}${isUtc ? "Z" : offset}`;
}
