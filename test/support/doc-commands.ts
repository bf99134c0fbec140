/**
 * Reads Markdown for test/docs.test.ts: which commands are to be tried, what is linked, which npm scripts are named.
 *
 * A fenced block right after a comment `<!-- tested -->` is run as one shell script from the repository's root. The
 * comment may say more: `<!-- tested exit=2 contains="type HTTP_PORT" needs=kafka timeout=120 -->`. `contains` may
 * be repeated; `needs` is kafka or docker; `timeout` is in seconds. A leading `$ ` of a line is left out.
 */

export interface TestedBlock {
  readonly file: string;
  /** Of the fence, from 1. */
  readonly line: number;
  readonly script: string;
  readonly exitCode: number;
  readonly contains: readonly string[];
  readonly needs: readonly ("kafka" | "docker")[];
  readonly timeoutMs: number;
}

const defaultTimeoutSeconds = 60;
const shells = ["sh", "bash", "shell", "console"];

interface Fence {
  readonly language: string;
  readonly line: number;
  readonly body: readonly string[];
  /** The last line before it that isn't empty. */
  readonly before: string;
}

/** All tested blocks. Throws on a mark that can't be understood, or that no fence follows: it would be skipped silently. */
export function testedBlocks(file: string, markdown: string): TestedBlock[] {
  const fences = fencesOf(markdown);
  const marks = [...markdown.matchAll(/^<!--\s*tested\b.*$/gm)].length;
  const blocks = fences
    .filter(({ before }) => /^<!--\s*tested\b/.test(before))
    .map((fence) => blockOf(file, fence));
  if (blocks.length !== marks) {
    throw new Error(`${file}: ${marks} tested marks, but ${blocks.length} fenced blocks right after one`);
  }
  return blocks;
}

/** Whether the page shows commands at all. */
export function showsCommands(markdown: string): boolean {
  return fencesOf(markdown).some(({ language }) => shells.includes(language));
}

function blockOf(file: string, { line, body, before }: Fence): TestedBlock {
  const options = /^<!--\s*tested\b(.*?)-->\s*$/.exec(before)?.[1];
  if (options === undefined) throw new Error(`${file}:${line}: can't read ${before}`);
  const contains: string[] = [];
  const needs: ("kafka" | "docker")[] = [];
  let exitCode = 0;
  let timeoutSeconds = defaultTimeoutSeconds;
  for (const [, name, quoted, bare] of options.matchAll(/([^\s=]+)(?:=(?:"([^"]*)"|(\S+)))?/g)) {
    const value = quoted ?? bare ?? "";
    if (name === "contains" && value !== "") contains.push(value);
    else if (name === "needs" && (value === "kafka" || value === "docker")) needs.push(value);
    else if (name === "exit" && /^\d+$/.test(value)) exitCode = Number(value);
    else if (name === "timeout" && /^\d+$/.test(value)) timeoutSeconds = Number(value);
    else throw new Error(`${file}:${line}: unknown option ${name}=${value} of a tested block`);
  }
  const script = body.map((text) => text.replace(/^\$ /, "")).join("\n");
  return { file, line, script, exitCode, contains, needs, timeoutMs: timeoutSeconds * 1000 };
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
