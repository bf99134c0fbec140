/**
 * Small changes to one source file, each of which some test should notice. They are found in the syntax tree and made
 * by position in the text, so whatever is not changed stays as it was.
 *
 * Assertions are left alone: they state what can't happen. So are numbers and strings: most of them are tuning or words.
 */
import { stripTypeScriptTypes } from "node:module";
import { type Comment, type Node, parse } from "acorn";

export interface Mutant {
  /** Path from the root of the tree, with `/`. */
  readonly file: string;
  readonly line: number;
  /** That line, trimmed: names the place for as long as the line stays as it is. */
  readonly lineText: string;
  /** `before -> after`, on one line. */
  readonly change: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** The text of the file with this one change. */
export function applied(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** As acorn gives it: which members there are depends on `type`. */
type Syntax = Node & { readonly [member: string]: unknown };

export function mutantsOf(file: string, text: string): Mutant[] {
  const stripped = stripTypeScriptTypes(text);
  if (stripped.length !== text.length) throw new Error(`${file}: its types can't be taken out in place`);
  const comments: Comment[] = [];
  const tree: Node = parse(stripped, { ecmaVersion: "latest", sourceType: "module", onComment: comments });
  let code = stripped;
  for (const { start, end } of comments)
    code = code.slice(0, start) + " ".repeat(end - start) + code.slice(end);
  const found: Mutant[] = [];
  visit(tree as Syntax, false);
  return numbered(found.sort((a, b) => a.start - b.start || a.end - b.end));

  /** `inSwitch`: a `break` here ends a case, not a loop. */
  function visit(node: Syntax, inSwitch: boolean): void {
    if (isAssertion(node)) return;
    mutate(node, inSwitch);
    const isLoop = /^(For|While|DoWhile)/.test(node.type);
    for (const child of childrenOf(node)) visit(child, (inSwitch || node.type === "SwitchCase") && !isLoop);
  }

  function mutate(node: Syntax, inSwitch: boolean): void {
    switch (node.type) {
      case "BinaryExpression":
      case "AssignmentExpression":
        return operator(node);
      case "UpdateExpression":
        return replace(
          node,
          source(node).replace(/\+\+|--/, (it) => (it === "++" ? "--" : "++")),
        );
      case "LogicalExpression":
        // One side dropped: what either contributes must show.
        replace(node, source(member(node, "left")));
        return replace(node, source(member(node, "right")));
      case "UnaryExpression":
        if (node.operator === "!") replace(node, source(member(node, "argument")));
        return;
      case "Literal":
        if (typeof node.value === "boolean") replace(node, String(!node.value));
        return;
      case "IfStatement":
      case "ConditionalExpression":
        condition(node, "true");
        return condition(node, "false");
      case "WhileStatement":
      case "ForStatement":
        if (node.test !== null) condition(node, "false");
        return;
      case "MemberExpression":
        return method(node);
      case "CallExpression":
        return filtered(node);
      case "ExpressionStatement":
        if (isEffect(member(node, "expression"))) replace(node, ";");
        return;
      case "ArrowFunctionExpression":
        if (isEffect(member(node, "body"))) replace(member(node, "body"), "{}");
        return;
      case "ReturnStatement":
      case "ContinueStatement":
        return replace(node, ";");
      case "BreakStatement":
        if (!inSwitch) replace(node, ";");
        return;
    }
  }

  function operator(node: Syntax): void {
    const { start: from, end: to } = { start: member(node, "left").end, end: member(node, "right").start };
    const old = String(node.operator);
    if (old === "+" && [member(node, "left"), member(node, "right")].some(isText)) return;
    const other = otherOperators.get(old);
    if (other === undefined) return;
    const at = code.indexOf(old, from);
    if (at < from || at >= to) throw new Error(`${file}: no ${old} between ${from} and ${to}`);
    replace(node, text.slice(node.start, at) + other + text.slice(at + old.length, node.end));
  }

  function condition(node: Syntax, value: string): void {
    const { start, end } = member(node, "test");
    const shown = (test: string) =>
      `${(/^[a-z]+/i.exec(node.type) ?? [""])[0].replace(/Statement|Expression/, "").toLowerCase()} (${test})`;
    add({ start, end, replacement: value }, shown(source({ start, end })), shown(value));
  }

  function method(node: Syntax): void {
    const property = member(node, "property");
    const other = node.computed === true ? undefined : otherMethods.get(source(property));
    if (other === undefined) return;
    add(
      { start: property.start, end: property.end, replacement: other },
      `.${source(property)}`,
      `.${other}`,
    );
  }

  /** `list.filter(...)` without the filter. */
  function filtered(node: Syntax): void {
    const callee = member(node, "callee");
    if (callee.type !== "MemberExpression" || source(member(callee, "property")) !== "filter") return;
    replace(node, source(member(callee, "object")));
  }

  function replace({ start, end }: Node, replacement: string): void {
    add({ start, end, replacement }, text.slice(start, end), replacement === ";" ? "(removed)" : replacement);
  }

  function add(edit: Pick<Mutant, "start" | "end" | "replacement">, before: string, after: string): void {
    const lineStart = text.lastIndexOf("\n", edit.start - 1) + 1;
    const lineEnd = text.indexOf("\n", edit.start);
    found.push({
      file,
      line: text.slice(0, edit.start).split("\n").length,
      lineText: text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).trim(),
      change: `${oneLine(before)} -> ${oneLine(after)}`,
      ...edit,
    });
  }

  function source({ start, end }: { readonly start: number; readonly end: number }): string {
    return text.slice(start, end);
  }
}

const otherOperators: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ "<": "<=", "<=": "<", ">": ">=", ">=": ">", "===": "!==", "!==": "===" },
    ...{ "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "&": "|", "|": "&", "<<": ">>", "**": "*" },
    ...{ "+=": "-=", "-=": "+=", "||=": "=", "&&=": "=", "??=": "=" },
  }),
);
const otherMethods: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ min: "max", max: "min", some: "every", every: "some", ceil: "floor", floor: "ceil" },
    ...{ find: "findLast", findLast: "find", push: "unshift", toLowerCase: "toString" },
    ...{ POSITIVE_INFINITY: "NEGATIVE_INFINITY", NEGATIVE_INFINITY: "POSITIVE_INFINITY" },
  }),
);

/** The same change twice in a line is distinguished by a number. */
function numbered(mutants: readonly Mutant[]): Mutant[] {
  const seen = new Map<string, number>();
  return mutants.map((mutant) => {
    const key = `${mutant.line} ${mutant.change}`;
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    return nth === 1 ? mutant : { ...mutant, change: `${mutant.change} (${nth})` };
  });
}

function isAssertion(node: Syntax): boolean {
  if (node.type !== "CallExpression") return false;
  const callee = member(node, "callee");
  return callee.type === "Identifier" && callee.name === "assert";
}

function isText(node: Syntax): boolean {
  return node.type === "TemplateLiteral" || (node.type === "Literal" && typeof node.value === "string");
}

/** Does something, and is not waited on for a value. */
function isEffect(node: Syntax): boolean {
  if (node.type === "UnaryExpression" && node.operator === "void") return true;
  if (node.type === "AwaitExpression") return true;
  if (node.type === "CallExpression") return !isAssertion(node);
  return node.type === "AssignmentExpression" || node.type === "UpdateExpression";
}

function member(node: Syntax, name: string): Syntax {
  return node[name] as Syntax;
}

function childrenOf(node: Syntax): Syntax[] {
  return Object.values(node).flat().filter(isSyntax);
}

function isSyntax(value: unknown): value is Syntax {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
