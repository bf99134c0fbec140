/** One record of a topic, for its page: read from the log each time, since the index holds no bytes. */
import { hash } from "node:crypto";
import type { Position } from "../../observer.ts";
import type { Clock, EventLog, LogRecord } from "../../ports.ts";
import { type Html, html, type Part } from "./html.ts";
import { consoleLimits } from "./limits.ts";
import { count, shown, shownLines } from "./shown.ts";

export type RecordFound =
  | { readonly ok: true; readonly record: LogRecord }
  | { readonly ok: false; readonly why: string };

export async function readRecord(log: EventLog, at: Position, clock: Clock): Promise<RecordFound> {
  const { topic, partition, offset } = at;
  if (partition >= log.partitionCount) return gone;
  const stop = new AbortController();
  const cancel = clock.after(consoleLimits.recordReadMs, () => stop.abort());
  let found: LogRecord | undefined;
  let hasRead = false;
  const onRecords = (records: readonly LogRecord[]) => {
    found ??= records.find((record) => record.offset === offset);
    hasRead ||= records.some((record) => record.offset >= offset);
    if (hasRead) stop.abort();
  };
  const result = await log.scan(topic, partition, offset, onRecords, stop.signal);
  cancel();
  if (found !== undefined) return { ok: true, record: found };
  if (hasRead || result.ok || result.logEnd !== undefined) return gone;
  return {
    ok: false,
    why: stop.signal.aborted ? "The log did not answer in time." : `The log says: ${result.reason}`,
  };
}

const gone = {
  ok: false,
  why: "The topic does not hold it any longer: retention or compaction removed it.",
} as const;

/** Bytes are shown as text where they are text, and never more of them than a page can bear. */
export function recordDetails({ key, value, headers }: LogRecord): Html {
  return html`<dl class="facts">
<dt>Key</dt><dd>${key === null ? shown(null) : shown(textOf(key) ?? hexOf(key, 64), 300)}</dd>
${headers.map(([name, bytes]) => html`<dt>Header ${shown(name)}</dt><dd>${bytes === null ? shown(null) : shown(textOf(bytes) ?? hexOf(bytes, 256), 2_000)}</dd>`)}
<dt>Value</dt><dd>${value === null ? "none" : html`${count(value.length)} bytes, SHA-256 <code>${hash("sha256", value)}</code>`}</dd>
</dl>
${value !== null && valueShown(value)}`;
}

function valueShown(value: Uint8Array): Part {
  const text = textOf(value);
  if (text !== null)
    return html`<pre tabindex="0" role="region" aria-label="Value of the record">${shownLines(text, consoleLimits.shownCharacters)}</pre>`;
  return html`<p class="hint">The value is not UTF-8 text; its bytes in hexadecimal:</p>
<pre tabindex="0" role="region" aria-label="Value of the record in hexadecimal">${hexOf(value, consoleLimits.shownBytes)}</pre>`;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

function hexOf(bytes: Uint8Array, max: number): string {
  const hex = Buffer.from(bytes.subarray(0, max))
    .toString("hex")
    .replace(/(..)(?=.)/g, "$1 ");
  return bytes.length > max ? `${hex} … (${count(bytes.length)} bytes in all)` : hex;
}
