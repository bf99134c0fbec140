/** The house rule about how long functions are, from the syntax tree. */
import { stripTypeScriptTypes } from "node:module";
import { type Node, parse } from "acorn";
import type { SourceFile, Violation } from "./tidy-rules.ts";
import { lineAt } from "./ts-text.ts";

export interface FunctionFound {
  /** Of its declaration, or of what it is assigned to; "" where it has none. */
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** As acorn gives it: which members there are depends on `type`. */
type Syntax = Node & { readonly [member: string]: unknown };

/** All functions of a file, methods and callbacks too. Types take no part: what only declares a function is none. */
export function functionsOf({ text }: SourceFile): FunctionFound[] {
  const found: FunctionFound[] = [];
  const tree: Node = parse(stripTypeScriptTypes(text), { ecmaVersion: "latest", sourceType: "module" });
  visit(tree as Syntax, "");
  return found;

  function visit(node: Syntax, name: string): void {
    const own = nameOf(node) ?? name;
    if (/Function/.test(node.type)) {
      const line = lineAt(text, node.start);
      found.push({ name: own, line, lines: lineAt(text, node.end) - line + 1 });
    }
    for (const child of childrenOf(node)) visit(child, /Function/.test(node.type) ? "" : own);
  }
}

function nameOf(node: Syntax): string | null {
  const named = (node.id ?? node.key) as Syntax | null | undefined;
  return typeof named?.name === "string" ? named.name : null;
}

function childrenOf(node: Syntax): Syntax[] {
  return Object.values(node)
    .flat()
    .filter((value): value is Syntax => typeof (value as Syntax | null)?.type === "string");
}

export function longFunctionViolations(file: SourceFile, maxLines: number): Violation[] {
  return functionsOf(file)
    .filter(({ lines }) => lines > maxLines)
    .map(
      ({ name, line, lines }) =>
        `${file.path}:${line}: ${name} has ${lines} lines; split it by concern, ${maxLines} is the limit`,
    );
}
