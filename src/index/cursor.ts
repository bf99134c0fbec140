/** Where a page of a search ends, as text that travels through an address: the last row's time and number. */
export interface Cursor {
  readonly atMs: number;
  readonly row: number;
}

const shape = /^(\d{1,16})-(\d{1,16})$/;

export function cursorText({ atMs, row }: Cursor): string {
  return `${atMs}-${row}`;
}

/** Null: it is none of ours. */
export function readCursor(text: string | null | undefined): Cursor | null {
  const match = shape.exec(text ?? "");
  if (match === null) return null;
  const atMs = Number(match[1]);
  const row = Number(match[2]);
  return Number.isSafeInteger(atMs) && Number.isSafeInteger(row) ? { atMs, row } : null;
}
