/** A reader of XML as strict as a browser's for what the charts use: elements, attributes, text, five entities. */
import assert from "node:assert/strict";

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const piece = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[a-zA-Z][\w:-]*="[^"<]*")*)\s*(\/?)>|([^<]+)/y;

/** The root. Throws where it is not well-formed. */
export function parseXml(text: string): Element {
  // The characters that XML 1.0 allows.
  assert.match(text, /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u);
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  piece.lastIndex = 0;
  while (piece.lastIndex < text.length) {
    const at = piece.lastIndex;
    const found = piece.exec(text);
    assert.ok(found, `not well-formed at ${JSON.stringify(text.slice(at, at + 60))}`);
    const [, closing, name, attributes, empty, characters] = found;
    const parent = open.at(-1)!;
    if (characters !== undefined) parent.text += decoded(characters);
    else if (closing === "/") assert.equal(open.pop()!.name, name);
    else {
      const element = { name: name!, attributes: attributesOf(attributes!), children: [], text: "" };
      parent.children.push(element);
      if (empty === "") open.push(element);
    }
  }
  assert.equal(open.length, 1, "an element is not closed");
  assert.equal(root.children.length, 1);
  assert.equal(root.text.trim(), "");
  return root.children[0]!;
}

export function allOf(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...allOf(child, name),
  ]);
}

function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    assert.ok(!(name! in found), `${name} stands twice`);
    found[name!] = decoded(value!);
  }
  return found;
}

function decoded(text: string): string {
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const character = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }[name];
    assert.ok(character !== undefined && whole.endsWith(";"), `${whole} is no entity`);
    return character;
  });
}
