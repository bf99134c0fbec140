/**
 * What one partition has registered: idempotency key -> Graph id, as read from `connector.registered`. A hash table
 * in one typed array, 32 bytes a cell: a million entries must fit beside everything else.
 *
 * 1. INV-ONE-CREATE-PER-KEY: a key, once in, stays, with the first id that came with it.
 * 2. An empty cell is all zero; no version 5 UUID is.
 * 3. At most `loadMax` of the cells are taken, so a probe ends.
 */
import { type Placement, place } from "../../domain/ledger-home.ts";
import { readLedgerEntry } from "../../domain/registered.ts";
import type { LogRecord } from "../../ports.ts";

export interface Ledger {
  /** Of the registered topic that it was read from; null: the log has no ids. */
  topicId: string | null;
  /** Cells of eight words: four of the key, four of the id (zero: see `otherIds`). */
  cells: Uint32Array;
  size: number;
  /** Ids that are not a lower-case UUID, by key. */
  readonly otherIds: Map<string, string>;
  /** Where the next catch-up reads on. */
  nextOffset: number;
  /** The last entry that was read from the log: what tells the same log from another one. */
  last: { readonly offset: number; readonly idempotencyKey: string } | null;
}

const wordsPerCell = 8;
const wordsPerUuid = 4;
const loadMax = 0.75;
const cellsAtFirst = 64;

export function createLedger(topicId: string | null = null): Ledger {
  return {
    topicId,
    cells: new Uint32Array(cellsAtFirst * wordsPerCell),
    size: 0,
    otherIds: new Map(),
    nextOffset: 0,
    last: null,
  };
}

/**
 * Takes in records of the registered topic; tombstones and foreign records are skipped. `placement` notes where they
 * belong. Records that belong elsewhere are remembered too: a ledger never shrinks, whatever the partition count.
 */
export function absorb(ledger: Ledger, records: readonly LogRecord[], placement?: Placement): void {
  for (const record of records) {
    const entry = readLedgerEntry(record);
    if (entry !== null) {
      remember(ledger, entry.idempotencyKey, entry.graphId);
      if (placement !== undefined) place(placement, entry, record.offset);
      ledger.last = { offset: record.offset, idempotencyKey: entry.idempotencyKey };
    }
    ledger.nextOffset = record.offset + 1;
  }
}

/** `idempotencyKey`: a lower-case UUID. */
export function remember(ledger: Ledger, idempotencyKey: string, graphId: string): void {
  if ((ledger.size + 1) * wordsPerCell > ledger.cells.length * loadMax) grow(ledger); // 3
  readUuid(idempotencyKey, keyWords);
  const at = find(ledger.cells, keyWords);
  if (!isEmpty(ledger.cells, at)) return; // INV-ONE-CREATE-PER-KEY
  ledger.cells.set(keyWords, at);
  if (graphId === idempotencyKey) {
    // Nearly always so, where Graph honours the ids that we send.
    ledger.cells.set(keyWords, at + wordsPerUuid);
  } else if (isPlainUuid(graphId)) {
    readUuid(graphId, idWords);
    ledger.cells.set(idWords, at + wordsPerUuid);
  } else {
    ledger.otherIds.set(idempotencyKey, graphId);
  }
  ledger.size++;
}

export function isRegistered(ledger: Ledger, idempotencyKey: string): boolean {
  readUuid(idempotencyKey, keyWords);
  return !isEmpty(ledger.cells, find(ledger.cells, keyWords));
}

/** Null: not registered. */
export function graphIdOf(ledger: Ledger, idempotencyKey: string): string | null {
  readUuid(idempotencyKey, keyWords);
  const at = find(ledger.cells, keyWords);
  if (isEmpty(ledger.cells, at)) return null;
  return ledger.otherIds.get(idempotencyKey) ?? writeUuid(ledger.cells, at + wordsPerUuid);
}

/** An entry of `earlier` that `later` does not hold; null: it holds them all. */
export function lacks(later: Ledger, earlier: Ledger): string | null {
  const { cells } = earlier;
  for (let at = 0; at < cells.length; at += wordsPerCell) {
    if (isEmpty(cells, at)) continue;
    const key = writeUuid(cells, at);
    if (!isRegistered(later, key)) return key;
  }
  return null;
}

/** Takes in all that `later` holds, and its place in the log. */
export function merge(ledger: Ledger, later: Ledger): void {
  const { cells } = later;
  for (let at = 0; at < cells.length; at += wordsPerCell) {
    if (isEmpty(cells, at)) continue;
    const key = writeUuid(cells, at);
    remember(ledger, key, graphIdOf(later, key) ?? key);
  }
  ledger.nextOffset = later.nextOffset;
  ledger.last = later.last;
}

/**
 * Which of these Graph ids are registered, in lower case. Goes through the whole ledger: it is kept by key, and this is
 * asked rarely.
 */
export function claimedIds(ledger: Ledger, ids: ReadonlySet<string>): Set<string> {
  const asked = new Set([...ids].map((id) => id.toLowerCase()));
  const claimed = new Set<string>();
  if (asked.size === 0) return claimed;
  for (const id of ledger.otherIds.values()) if (asked.has(id.toLowerCase())) claimed.add(id.toLowerCase());
  const firstWords = new Set<number>();
  for (const id of asked) {
    if (!isPlainUuid(id)) continue;
    readUuid(id, idWords);
    firstWords.add(idWords[0]!);
  }
  for (let at = 0; at < ledger.cells.length; at += wordsPerCell) {
    if (!firstWords.has(ledger.cells[at + wordsPerUuid]!)) continue;
    const id = writeUuid(ledger.cells, at + wordsPerUuid);
    if (asked.has(id)) claimed.add(id);
  }
  return claimed;
}

/** Scratch: looking up allocates nothing. */
const keyWords = new Uint32Array(wordsPerUuid);
const idWords = new Uint32Array(wordsPerUuid);

/** Where the key stands, or the empty cell where it would. Linear probing: the key's own bits are the hash. */
function find(cells: Uint32Array, key: Uint32Array): number {
  const mask = cells.length / wordsPerCell - 1;
  let cell = key[0]! & mask;
  while (true) {
    const at = cell * wordsPerCell;
    if (isEmpty(cells, at)) return at;
    if (
      cells[at] === key[0] &&
      cells[at + 1] === key[1] &&
      cells[at + 2] === key[2] &&
      cells[at + 3] === key[3]
    )
      return at;
    cell = (cell + 1) & mask;
  }
}

function isEmpty(cells: Uint32Array, at: number): boolean {
  return (cells[at]! | cells[at + 1]! | cells[at + 2]! | cells[at + 3]!) === 0; // 2
}

function grow(ledger: Ledger): void {
  const old = ledger.cells;
  const cells = new Uint32Array(old.length * 2);
  // Word by word: views of the parts would be garbage, two an entry.
  for (let at = 0; at < old.length; at += wordsPerCell) {
    if (isEmpty(old, at)) continue;
    for (let word = 0; word < wordsPerUuid; word++) keyWords[word] = old[at + word]!;
    const to = find(cells, keyWords);
    for (let word = 0; word < wordsPerCell; word++) cells[to + word] = old[at + word]!;
  }
  ledger.cells = cells;
}

const plainUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const zeroUuid = "00000000-0000-0000-0000-000000000000";

function isPlainUuid(text: string): boolean {
  return plainUuid.test(text) && text !== zeroUuid;
}

/** `text`: a lower-case UUID. Digit by digit: slices and parseInt take twice as long, three times an event. */
function readUuid(text: string, into: Uint32Array): void {
  into[0] = readHex(text, 4, readHex(text, 0, 0));
  into[1] = readHex(text, 14, readHex(text, 9, 0));
  into[2] = readHex(text, 24, readHex(text, 19, 0));
  into[3] = readHex(text, 32, readHex(text, 28, 0));
}

/** Four more digits behind `before`. */
function readHex(text: string, at: number, before: number): number {
  let value = before;
  for (let i = at; i < at + 4; i++) {
    const code = text.charCodeAt(i);
    value = (value << 4) | (code < 97 ? code - 48 : code - 87);
  }
  return value;
}

function writeUuid(words: Uint32Array, at: number): string {
  let hex = "";
  for (let i = 0; i < wordsPerUuid; i++) hex += words[at + i]!.toString(16).padStart(8, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
