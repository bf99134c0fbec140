/** Two exports of one request, record by record. Both are in the order of rows.ts; what is out of order counts as missing and as added. */
import { type Column, columns } from "./columns.ts";
import { csvRecords } from "./csv.ts";
import type { Format } from "./manifest.ts";

export interface Entry {
  readonly id: string;
  readonly atMs: number;
  /** By column, as text. */
  readonly values: readonly string[];
  readonly text: string;
}

export type Difference =
  /** The record number of the file, the first being 1. */
  | { readonly kind: "unreadable"; readonly record: number }
  | { readonly kind: "only-in-file" | "only-in-topics"; readonly entry: Entry }
  | { readonly kind: "differs"; readonly id: string; readonly changes: readonly Change[] };

export interface Change {
  readonly column: Column;
  readonly inFile: string;
  readonly inTopics: string;
}

/** Unreadable records come as their numbers. */
export async function* entriesOf(
  chunks: AsyncIterable<string>,
  format: Format,
): AsyncGenerator<Entry | number> {
  let record = 0;
  for await (const { text, values } of format === "csv" ? csvRecords(chunks) : jsonRecords(chunks)) {
    record++;
    if (format === "csv" && record === 1) {
      if (values === null || values.join() !== columns.join()) yield record;
      continue;
    }
    yield entryOf(text, values) ?? record;
  }
}

export async function* differences(
  file: AsyncIterable<Entry | number>,
  topics: AsyncIterable<Entry | number>,
): AsyncGenerator<Difference> {
  const derived = topics[Symbol.asyncIterator]();
  let theirs = await next(derived);
  for await (const ours of file) {
    if (typeof ours === "number") {
      yield { kind: "unreadable", record: ours };
      continue;
    }
    for (; theirs !== null && comesBefore(theirs, ours); theirs = await next(derived))
      yield { kind: "only-in-topics", entry: theirs };
    if (theirs === null || comesBefore(ours, theirs)) {
      yield { kind: "only-in-file", entry: ours };
      continue;
    }
    if (ours.text !== theirs.text) yield { kind: "differs", id: ours.id, changes: changesOf(ours, theirs) };
    theirs = await next(derived);
  }
  for (; theirs !== null; theirs = await next(derived)) yield { kind: "only-in-topics", entry: theirs };
}

async function next(entries: AsyncIterator<Entry | number>): Promise<Entry | null> {
  const { done, value } = await entries.next();
  return done === true || typeof value === "number" ? null : value;
}

function comesBefore(a: Entry, b: Entry): boolean {
  return a.atMs === b.atMs ? a.id < b.id : a.atMs > b.atMs;
}

function changesOf(ours: Entry, theirs: Entry): Change[] {
  return columns.flatMap((column, at) => {
    const [inFile, inTopics] = [ours.values[at] ?? "", theirs.values[at] ?? ""];
    return inFile === inTopics ? [] : [{ column, inFile, inTopics }];
  });
}

const at = (column: Column) => columns.indexOf(column);

function entryOf(text: string, values: readonly string[] | null): Entry | null {
  if (values === null || values.length !== columns.length) return null;
  const time = values[at("time")]!;
  const atMs = time === "" ? 0 : Date.parse(time);
  const id = values[at("idempotencyKey")] || values[at("deadLetterId")];
  return id === undefined || id === "" || Number.isNaN(atMs) ? null : { id, atMs, values, text };
}

interface JsonRecord {
  readonly text: string;
  readonly values: readonly string[] | null;
}

async function* jsonRecords(chunks: AsyncIterable<string>): AsyncGenerator<JsonRecord> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield { text: `${line}\n`, values: jsonValues(line) };
  }
  if (rest !== "") yield { text: rest, values: jsonValues(rest) };
}

function jsonValues(line: string): string[] | null {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== "object" || parsed === null) return null;
    if (Object.keys(parsed).join() !== columns.join()) return null;
    return Object.values(parsed).map((value: unknown) => (value === null ? "" : String(value)));
  } catch {
    return null;
  }
}
