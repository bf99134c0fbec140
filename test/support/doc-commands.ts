/**
 * Reads Markdown for the tests of the documents: which commands are to be tried, what is linked, which npm scripts are
 * named.
 *
 * A fenced block right after a comment `<!-- tested -->` is run as one shell script from the repository's root. After
 * `<!-- terminal 1 -->` it is what a reader types into the first terminal, in a directory of its own; after
 * `<!-- compose -->` it is run with the containers of docker-compose.yml. A comment may say more:
 * `<!-- tested exit=2 contains="type HTTP_PORT" needs=kafka timeout=120 -->`. `contains` may be repeated, and has single
 * quotes around a text with double ones; `until` is for a command that keeps running: it has printed that; `needs` is kafka,
 * docker or grafana; `timeout` is in seconds. A leading `$ ` of a line is left out.
 */

export interface CommandBlock {
  readonly file: string;
  /** Of the fence, from 1. */
  readonly line: number;
  readonly script: string;
  /** Null: nothing says how to run it. */
  readonly run: Run | null;
}

export interface Run {
  readonly kind: "tested" | "terminal" | "compose";
  /** Of a terminal. */
  readonly name: string;
  readonly exitCode: number;
  readonly contains: readonly string[];
  readonly until: string | null;
  readonly needs: readonly Need[];
  readonly timeoutMs: number;
}

export type Need = "kafka" | "docker" | "grafana";
export type TestedBlock = CommandBlock & { readonly run: Run };

const defaultTimeoutSeconds = 60;
const shells = ["sh", "bash", "shell", "console"];
const mark = /^<!--\s*(tested|terminal (\w+)|compose)\b(.*)$/;

interface Fence {
  readonly language: string;
  readonly line: number;
  readonly body: readonly string[];
  /** The last line before it that isn't empty. */
  readonly before: string;
}

/** Every block of shell commands. Throws on a mark that can't be understood, or that none follows: it would be skipped silently. */
export function commandBlocks(file: string, markdown: string): CommandBlock[] {
  const marks = markdown.split("\n").filter((line) => mark.test(line.trim())).length;
  const fences = fencesOf(markdown).filter(
    ({ language, before }) => shells.includes(language) || mark.test(before),
  );
  const blocks = fences.map(({ line, body, before }) => ({
    file,
    line,
    script: scriptOf(body),
    run: mark.test(before) ? runOf(`${file}:${line}`, before) : null,
  }));
  const marked = blocks.filter(({ run }) => run !== null).length;
  if (marked !== marks) {
    throw new Error(`${file}: ${marks} tested marks, but ${marked} fenced blocks right after one`);
  }
  return blocks;
}

export function testedBlocks(file: string, markdown: string, kind: Run["kind"] = "tested"): TestedBlock[] {
  return commandBlocks(file, markdown).filter((block): block is TestedBlock => block.run?.kind === kind);
}

/** The commands of a block, without comments. */
export function commandLines({ script }: CommandBlock): string[] {
  return script
    .split("\n")
    .map((line) => line.replace(/\s+#\s.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Whether the page shows commands at all. */
export function showsCommands(markdown: string): boolean {
  return commandBlocks("", markdown).length > 0;
}

function runOf(at: string, comment: string): Run {
  const [, word = "", name = "", rest = ""] = mark.exec(comment) ?? [];
  if (!rest.trimEnd().endsWith("-->")) throw new Error(`${at}: can't read ${comment}`);
  const contains: string[] = [];
  const needs: Need[] = [];
  let until: string | null = null;
  let exitCode = 0;
  let timeoutSeconds = defaultTimeoutSeconds;
  const options = rest.trimEnd().slice(0, -"-->".length);
  for (const [, option, quoted, single, bare] of options.matchAll(
    /([^\s=]+)(?:=(?:"([^"]*)"|'([^']*)'|(\S+)))?/g,
  )) {
    const value = quoted ?? single ?? bare ?? "";
    if (option === "contains" && value !== "") contains.push(value);
    else if (option === "until" && value !== "") until = value;
    else if (option === "needs" && isNeed(value)) needs.push(value);
    else if (option === "exit" && /^\d+$/.test(value)) exitCode = Number(value);
    else if (option === "timeout" && /^\d+$/.test(value)) timeoutSeconds = Number(value);
    else throw new Error(`${at}: unknown option ${option}=${value} of a tested block`);
  }
  const kind = word.split(" ")[0] as Run["kind"];
  return { kind, name, exitCode, contains, until, needs, timeoutMs: timeoutSeconds * 1000 };
}

function isNeed(value: string): value is Need {
  return value === "kafka" || value === "docker" || value === "grafana";
}

/** Without the indentation of a block inside a list. */
function scriptOf(body: readonly string[]): string {
  const indents = body.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  const indent = Math.min(...indents, 80);
  return body.map((line) => line.slice(indent).replace(/^\$ /, "")).join("\n");
}

function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = [];
  let open: { mark: string; language: string; line: number; body: string[]; before: string } | null = null;
  let before = "";
  for (const [index, text] of markdown.split("\n").entries()) {
    const fence = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(text);
    if (open === null && fence !== null) {
      open = { mark: fence[1] ?? "", language: fence[2] ?? "", line: index + 1, body: [], before };
    } else if (open !== null && text.trim() === open.mark) {
      fences.push(open);
      open = null;
      before = "";
    } else if (open !== null) {
      open.body.push(text);
    } else if (text.trim() !== "") {
      before = text.trim();
    }
  }
  return fences;
}

/** Targets of links and images that lie in the repository, without their fragment. */
export function relativeLinks(markdown: string): string[] {
  const prose = withoutFences(markdown).replaceAll(/`[^`]*`/g, "");
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(
    (match) => match[1] ?? "",
  );
  const references = [...prose.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)].map((match) => match[1] ?? "");
  return [...inline, ...references]
    .filter((target) => !/^(?:[a-z][a-z+.-]*:|#|\/\/)/i.test(target))
    .map((target) => decodeURI(target.replace(/#.*$/, "")));
}

/** Links to headings: the page ("" for the same one) and the heading's anchor. */
export function anchorLinks(markdown: string): { readonly page: string; readonly anchor: string }[] {
  const prose = withoutFences(markdown).replaceAll(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\(([\w./-]*)#([^)\s]+)\)/g)].map(([, page = "", anchor = ""]) => ({
    page,
    anchor,
  }));
}

/** As GitHub derives them from the headings. */
export function anchorsOf(markdown: string): string[] {
  return [...withoutFences(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

function withoutFences(markdown: string): string {
  return markdown.replaceAll(/^\s*(`{3,}|~{3,})[\s\S]*?^\s*\1\s*$/gm, "");
}

/** Names after `npm run`, and the short forms, in prose and in blocks alike. */
export function namedScripts(markdown: string): string[] {
  const flags = String.raw`(?:\s+-{1,2}[a-z-]+)*`;
  const run = new RegExp(String.raw`\bnpm${flags}\s+run(?:-script)?${flags}\s+([a-z][\w:-]*)`, "g");
  const short = new RegExp(String.raw`\bnpm${flags}\s+(test|start)\b`, "g");
  return [...markdown.matchAll(run), ...markdown.matchAll(short)].map((match) => match[1] ?? "");
}

/** Paths in backticks that begin with a folder of the project, as they are or as patterns. */
export function namedPaths(markdown: string): string[] {
  const folders = "src|emulator|demo|lab|test|docs|scripts|deploy|docker|schemas";
  const path = new RegExp(`\`((?:${folders})/[\\w./*-]*)\``, "g");
  return [...withoutFences(markdown).matchAll(path)].map((match) => match[1] ?? "");
}
