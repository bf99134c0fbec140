/** What a service may do to the values that it was sent before it stores them. */
import type { EnrollmentDetails } from "../../src/domain/enrollment.ts";
import type { Rng } from "./rng.ts";

export interface NormalForm {
  /** The same instant, in UTC. */
  readonly inUtc: boolean;
  /** "seconds", "milliseconds": what is finer is cut off. "trimmed": zeros at the end are. */
  readonly fraction: "kept" | "seconds" | "milliseconds" | "trimmed";
  readonly names: "kept" | "trimmed" | "folded";
}

export const asItCame: NormalForm = { inUtc: false, fraction: "kept", names: "kept" };

export function drawNormalForm(rng: Rng): NormalForm {
  return {
    inUtc: rng.chance(0.7),
    fraction: rng.pick(["kept", "seconds", "milliseconds", "trimmed"]),
    names: rng.pick(["kept", "kept", "trimmed", "folded"]),
  };
}

export function isKept({ inUtc, fraction, names }: NormalForm): boolean {
  return !inUtc && fraction === "kept" && names === "kept";
}

/** `inUtc`: the same instant in UTC, for texts that the workload knows. */
export function normalise(
  form: NormalForm,
  details: EnrollmentDetails,
  inUtc: (text: string) => string,
): EnrollmentDetails {
  const instant = (text: string): string => cut(form.fraction, form.inUtc ? inUtc(text) : text);
  return {
    ...details,
    connectorName: name(form.names, details.connectorName),
    machineName: name(form.names, details.machineName),
    enrollmentDateTime: instant(details.enrollmentDateTime),
    lastCheckinDateTime: instant(details.lastCheckinDateTime),
  };
}

function name(how: NormalForm["names"], text: string): string {
  if (how === "trimmed") return text.trim();
  return how === "folded" ? text.toLowerCase() : text;
}

function cut(how: NormalForm["fraction"], text: string): string {
  const parts = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (parts === null) return text;
  const [, seconds = "", digits = "", offset = ""] = parts;
  const left = {
    kept: digits,
    seconds: "",
    milliseconds: digits.slice(0, 3),
    trimmed: digits.replace(/0+$/, ""),
  }[how];
  return left === "" ? `${seconds}${offset}` : `${seconds}.${left}${offset}`;
}
