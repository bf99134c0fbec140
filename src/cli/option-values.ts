/** Parsers of option values; what they refuse ends with exit code 2. */
import { InvalidArgumentError } from "commander";
import { systemClock } from "../clock.ts";
import { durationMs } from "../config/kinds.ts";

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is not a whole number.");
  return Number(text);
}

export function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("It must be at least 1.");
  return value;
}

export function positiveDecimal(text: string): number {
  const value = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (value === 0) throw new InvalidArgumentError("It must be a number above 0, such as 0.5.");
  return value;
}

export function names(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Names out of these only. */
export function namesOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    names(text).map((name) => {
      const found = known.find((each) => each === name);
      if (found !== undefined) return found;
      throw new InvalidArgumentError(`${JSON.stringify(name)} is none of ${known.join(", ")}.`);
    });
}

/** Lower case, each once, at least one. */
export function guids(text: string): string[] {
  const ids = names(text.toLowerCase());
  const wrong = ids.find((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id));
  if (wrong !== undefined || ids.length === 0) {
    throw new InvalidArgumentError(`${JSON.stringify(wrong ?? "")} is not a GUID.`);
  }
  return [...new Set(ids)];
}

/** A date-time, or how long ago: milliseconds since 1970. */
export function pastTime(text: string): number {
  if (/^\d{1,6}[smhd]$/.test(text)) return systemClock.wallMs() - durationMs(text);
  const isDateTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/i.test(text);
  const ms = isDateTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError(
      "It is neither a date-time with offset (2026-01-31T10:00:00Z) nor a time (2h, 7d).",
    );
  }
  return ms;
}
