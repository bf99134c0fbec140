/**
 * Reads a tenants file again when it changes: a file put in its place, bytes written into it, Kubernetes' swap of a link in its
 * folder. The folder is watched, since that sees all three; and the file is looked at now and then, since no watch event
 * comes from some file systems.
 *
 * 1. A bad file changes nothing, and is reported once; while it is bad, `problem` says why.
 * 2. A file is reported as bad only when it was unchanged for a while: a program may still be writing it.
 * 3. One reading at a time, in slices: the process continues to serve meanwhile.
 * 4. Many events cause one reading; and constant changes in the folder delay a reading only for a limited time.
 */
import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../ports.ts";
import { changesBetween, type TenantChanges } from "./changes.ts";
import { type FileProblem, type ParsedTenants, parseTenants, type TenantsContent } from "./parse.ts";
import { markAt, readTenantsFile } from "./read-file.ts";

export interface Reloaded {
  readonly content: TenantsContent;
  readonly changes: TenantChanges;
  readonly durationMs: number;
}

export interface WatchedFile {
  /** Looks now, whatever the file's mark says; resolves when that reading is over. */
  readNow(): Promise<void>;
  /** What is wrong with the present file; null: it is the one in use. */
  problem(): string | null;
  close(): void;
}

export interface WatchParts {
  readonly path: string;
  /** What is in use, and the mark of the file that it was read from. */
  readonly first: TenantsContent;
  readonly firstMark: string;
  /** What is wrong with a list that is well formed. */
  readonly judge: (content: TenantsContent) => readonly FileProblem[];
  readonly clock: Clock;
  readonly onReloaded: (reloaded: Reloaded) => void;
  /** One line for each, the first ones; nothing of the file is in use. */
  readonly onBad: (problems: readonly string[]) => void;
}

const debounceMs = 100;
const delayMaxMs = 1_000;
const pollMs = 5_000;
/** A file that is bad must have stood for so long. */
const standsForMs = 1_000;
const sliceMs = 10;

export function watchTenantsFile(parts: WatchParts): WatchedFile {
  const { path, clock } = parts;
  let content = parts.first;
  let problem: string | null = null;
  /** Of the last reading that was decided. */
  let seenMark: string | null = parts.firstMark;
  let askedAtMs: number | null = null;
  let cancelTimer = () => {};
  let reading: Promise<void> | null = null;
  let isWanted = false;
  let isClosed = false;
  const watcher = watchFolder(dirname(path), () => soon());
  let cancelPoll = clock.after(pollMs, poll);
  // It may have changed since it was read.
  void look();

  return {
    async readNow() {
      seenMark = null;
      await read();
      // One that was under way may have begun before the file changed.
      if (reading !== null) await reading;
    },
    problem: () => problem,
    close() {
      isClosed = true;
      cancelTimer();
      cancelPoll();
      watcher?.close();
    },
  };

  function poll(): void {
    cancelPoll = clock.after(pollMs, poll);
    void look();
  }

  /** After a pause in the events, or when they have gone on for too long. */
  function soon(): void {
    if (isClosed) return;
    askedAtMs ??= clock.nowMs();
    cancelTimer();
    const waitedMs = clock.nowMs() - askedAtMs;
    cancelTimer = clock.after(Math.max(0, Math.min(debounceMs, delayMaxMs - waitedMs)), () => {
      askedAtMs = null;
      void look();
    }); // 4
  }

  async function look(): Promise<void> {
    if (isClosed || (await markAt(path)) === seenMark) return;
    await read();
  }

  /** Again, if it was asked for meanwhile. */
  function read(): Promise<void> {
    if (reading !== null) isWanted = true; // 3
    reading ??= readOnce().finally(() => {
      reading = null;
      if (!isWanted || isClosed) return;
      isWanted = false;
      void look();
    });
    return reading;
  }

  async function readOnce(): Promise<void> {
    const startedMs = clock.nowMs();
    const file = await readTenantsFile(path);
    if (isClosed) return;
    const parsed = file.ok ? await inSlices(parseTenants(file.bytes), clock) : refusedAs(file.text);
    if (isClosed) return;
    if ((await markAt(path)) !== file.mark) return soon();
    const judged = parsed.ok ? parts.judge(parsed.content) : [];
    if (!parsed.ok || judged.length > 0) return bad(file.mark, parsed.ok ? judged : linesOf(parsed));
    const changes = await inSlices(changesBetween(content.tenants, parsed.content.tenants), clock);
    if (isClosed) return;
    seenMark = file.mark;
    problem = null;
    content = parsed.content;
    parts.onReloaded({ content, changes, durationMs: clock.nowMs() - startedMs });
  }

  async function bad(mark: string, problems: readonly FileProblem[]): Promise<void> {
    await new Promise<void>((resolve) => void clock.after(standsForMs, resolve));
    if (isClosed) return;
    if ((await markAt(path)) !== mark) return soon(); // 2
    seenMark = mark;
    const lines = problems.map(lineOf);
    problem = lines[0] ?? "is bad";
    parts.onBad(lines); // 1
  }
}

/** Null: this folder can't be watched; then the file is only looked at now and then. */
function watchFolder(folder: string, onEvent: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

function refusedAs(text: string): ParsedTenants {
  return { ok: false, problems: [{ pointer: "", text }], more: 0 };
}

function linesOf({ problems, more }: Extract<ParsedTenants, { ok: false }>): readonly FileProblem[] {
  return more === 0 ? problems : [...problems, { pointer: "", text: `has ${more} more that are wrong` }];
}

/** "the file is empty", "/tenants/3/tenantId is not a GUID". */
export function lineOf({ pointer, text }: FileProblem): string {
  return `${pointer === "" ? "the file" : pointer} ${text}`;
}

/** The event loop gets its turn after each slice. */
async function inSlices<T>(steps: Generator<void, T>, clock: Clock): Promise<T> {
  let untilMs = clock.nowMs() + sliceMs;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.nowMs() < untilMs) continue;
    await setImmediate();
    untilMs = clock.nowMs() + sliceMs;
  }
}
