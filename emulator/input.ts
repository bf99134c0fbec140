/** What checks of JSON input share: closed objects, and problems by JSON pointer. */

import Type, { type TSchema } from "typebox";

const maxProblems = 5;
export const closed = { additionalProperties: false };

export function optional(properties: Record<string, TSchema>) {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)]),
  );
}

interface Problem {
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

interface Checker {
  Check(value: unknown): boolean;
  Errors(value: unknown): readonly Problem[];
}

export function problemIn(checker: Checker, input: unknown): string | null {
  if (checker.Check(input)) return null;
  const problems = checker.Errors(input).map(({ instancePath, message, params }) => {
    const details = params as Record<string, string[] | undefined>;
    const names = details.additionalProperties ?? details.allowedValues;
    return `${instancePath || "/"} ${message}${names === undefined ? "" : `: ${names.join(", ")}`}`;
  });
  return `Not taken: ${[...new Set(problems)].slice(0, maxProblems).join("; ")}.`;
}
