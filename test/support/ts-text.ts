/** Just enough reading of TypeScript text for house rules: what is code, what is comment or string, what is imported. */

export interface Import {
  readonly specifier: string;
  /** Nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** From 1. */
  readonly line: number;
}

const token = new RegExp(
  [
    /\/\/[^\n]*|\/\*[\s\S]*?\*\//, // comments
    /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/, // strings
    /`(?:\\[\s\S]|\$\{(?:[^{}]|\{[^{}]*\})*\}|[^`\\])*`/, // templates
    /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[dgimsuvy]*/, // regular expressions, or divisions
  ]
    .map((pattern) => pattern.source)
    .join("|"),
  "g",
);

/** A slash after one of these starts a regular expression; after anything else it divides. */
const beforeRegex = /(?:^|[-+*%=(,:;!&|?{}[<>~^]|\breturn|\btypeof|\bcase)\s*$/;

/**
 * The text with comments blanked, and strings and regular expressions too unless they are to be kept. Same length,
 * same lines. The code inside `${}` of a template is kept.
 */
export function blank(text: string, strings: "keep" | "blank"): string {
  let result = "";
  let at = 0;
  for (let match = next(at); match !== null; match = next(at)) {
    const found = match[0];
    const start = match.index;
    result += text.slice(at, start);
    if (found.startsWith("//") || found.startsWith("/*")) {
      result += spaces(found);
    } else if (found.startsWith("/") && !beforeRegex.test(result.trimEnd().slice(-10))) {
      // A division: only the slash itself is skipped.
      result += "/";
      at = start + 1;
      continue;
    } else if (strings === "keep") {
      result += found;
    } else if (found.startsWith("`")) {
      result += blankTemplate(found);
    } else {
      result += found[0] + spaces(found.slice(1, -1)) + found.at(-1);
    }
    at = start + found.length;
  }
  return result + text.slice(at);

  function next(from: number): RegExpExecArray | null {
    token.lastIndex = from;
    return token.exec(text);
  }
}

function blankTemplate(template: string): string {
  const hole = /\$\{((?:[^{}]|\{[^{}]*\})*)\}/g;
  let result = "";
  let at = 0;
  for (const match of template.matchAll(hole)) {
    result += spaces(template.slice(at, match.index)) + match[0];
    at = match.index + match[0].length;
  }
  return result + spaces(template.slice(at));
}

function spaces(text: string): string {
  return text.replaceAll(/[^\n]/g, " ");
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** All imports and re-exports, `import()` with a literal included. */
export function importsOf(text: string): Import[] {
  const code = blank(text, "keep");
  const forms =
    /\b(?:import|export)\s+(type\s+)?([^"';()=]*?\bfrom\s*)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;
  return [...code.matchAll(forms)]
    .filter((match) => match[4] !== undefined || match[2] !== undefined || match[0].startsWith("import"))
    .map((match) => ({
      specifier: match[3] ?? match[4] ?? "",
      typeOnly: match[1] !== undefined || onlyTypesNamed(match[2] ?? ""),
      line: lineAt(code, match.index),
    }));
}

/** `{ type A, type B } from` */
function onlyTypesNamed(clause: string): boolean {
  const names = /^\{([^}]*)\}\s*from\s*$/.exec(clause)?.[1];
  if (names === undefined) return false;
  return names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
    .every((name) => name.startsWith("type "));
}
