/** A record as it stands in its topic, as JSON: text where the bytes are UTF-8, else base64 under another name. */
import type { Header, LogRecord } from "../ports.ts";

export interface RecordJson {
  readonly partition: number;
  readonly offset: number;
  readonly key?: string | null;
  readonly keyBase64?: string;
  /** A name that occurs more than once has a list. Values that aren't UTF-8 are {base64}. */
  readonly headers: Readonly<Record<string, HeaderJson | HeaderJson[]>>;
  readonly value?: string | null;
  readonly valueBase64?: string;
}

export type HeaderJson = string | null | { readonly base64: string };

export function recordJson(record: LogRecord): RecordJson {
  const key = text(record.key);
  const value = text(record.value);
  return {
    partition: record.partition,
    offset: record.offset,
    ...(key === undefined ? { keyBase64: base64(record.key) } : { key }),
    headers: headersJson(record.headers),
    ...(value === undefined ? { valueBase64: base64(record.value) } : { value }),
  };
}

function headersJson(headers: readonly Header[]): Record<string, HeaderJson | HeaderJson[]> {
  const byName = new Map<string, HeaderJson[]>();
  for (const [name, bytes] of headers) {
    const shown = text(bytes);
    const values = byName.get(name) ?? [];
    values.push(shown === undefined ? { base64: base64(bytes) } : shown);
    byName.set(name, values);
  }
  // Object.fromEntries defines own members, so that a header named __proto__ is one.
  return Object.fromEntries(
    [...byName].map(([name, values]) => [name, values.length === 1 ? values[0]! : values]),
  );
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined: not UTF-8. */
function text(bytes: Uint8Array | null): string | null | undefined {
  if (bytes === null) return null;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function base64(bytes: Uint8Array | null): string {
  return Buffer.from(bytes ?? []).toString("base64");
}
