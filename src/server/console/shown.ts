/**
 * Foreign text as a page shows it.
 *
 * 1. Invisible characters (control characters, marks that turn the direction of writing, characters without width, halves of pairs)
 *    is written as `\u202e`.
 * 2. It is isolated (`bdi`): right-to-left text does not reorder what stands around it.
 * 3. It is cut at a limit, and then its length is said.
 */
import { type Html, html, type Part } from "./html.ts";

const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|\p{Default_Ignorable_Code_Point}/gu;
const unseenInLines = new RegExp(`(?![\\n\\t])(?:${unseen.source})`, "gu");

const namesMax = 120;

/** A name in a line. Null: a dash. */
export function shown(text: string | null, max = namesMax): Html {
  if (text === null) return html`<span class="none">–</span>`;
  if (text === "") return html`<span class="none">(empty)</span>`;
  return html`<bdi>${marked(cut(text, max), unseen)}</bdi>${rest(text, max)}`;
}

/** Text of several lines. */
export function shownLines(text: string, max: number): Html {
  return html`<bdi>${marked(cut(text, max).replaceAll("\r\n", "\n"), unseenInLines)}</bdi>${rest(text, max)}`;
}

function cut(text: string, max: number): string {
  return text.slice(0, max);
}

function rest(text: string, max: number): Part {
  if (text.length <= max) return null;
  return html`<span class="cut">… (${count(text.length)} characters in all)</span>`;
}

function marked(text: string, what: RegExp): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(what)) {
    parts.push(text.slice(from, index), html`<span class="unseen">${escapeOf(found)}</span>`);
    from = index + found.length;
  }
  return [...parts, text.slice(from)];
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}

/** 1,234,567 */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** 1 dead letter, 2 dead letters */
export function letters(number: number): string {
  return `${count(number)} dead letter${number === 1 ? "" : "s"}`;
}

/** In UTC. Null or 0: unknown. Beyond what a date can be, too. */
export function time(ms: number | null): Html {
  const date = new Date(ms ?? 0);
  if (ms === null || ms === 0 || Number.isNaN(date.getTime())) return html`<span class="none">–</span>`;
  const iso = date.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace("T", " ")} UTC</time>`;
}

/** How long ago: 5 s, 3 min, 2 h, 4 d. */
export function ago(ms: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - ms) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
