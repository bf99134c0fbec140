/** Parsers of option values; what they refuse ends with exit code 2. */
import { InvalidArgumentError } from "commander";

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is not a whole number.");
  return Number(text);
}

export function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("It must be at least 1.");
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
    throw new InvalidArgumentError(`${JSON.stringify(wrong ?? "")} is no GUID.`);
  }
  return [...new Set(ids)];
}
