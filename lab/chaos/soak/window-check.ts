/**
 * Whether each enrollment gets one object and one record, checked during a run of hours.
 *
 * 1. What is kept does not grow with the run: an enrollment is forgotten some time after its object was taken out of Graph,
 *    which happens some time after it was registered. Faults are shorter than these times.
 * 2. An object or a record of an enrollment that is no longer known is one too many.
 * 3. It shares nothing with the worker but the shape of its records.
 */

import { recordJson } from "../../../src/cli/record-json.ts";
import type { GraphObject } from "../../../src/graph-port.ts";
import type { LogRecord, NewRecord } from "../../../src/ports.ts";
import { nameOf, readRegistered } from "../verify.ts";

export interface WindowCheck {
  /** Once for each enrollment, before its record is appended. */
  emitted(tenantId: string, data: Parameters<typeof nameOf>[1], nowMs: number): void;
  emittedBad(record: NewRecord, nowMs: number): void;
  /** How long it took, from `emitted` on; null: not the first of its enrollment. */
  registered(record: LogRecord, nowMs: number): number | null;
  deadLetter(record: LogRecord, nowMs: number): void;
  /** What Graph holds, asked for at that time. Returns what may be taken out there. */
  inventory(found: Readonly<Record<string, readonly GraphObject[]>>, askedAtMs: number): readonly Removable[];
  removed(one: Removable, nowMs: number): void;
  /** Forgets what is over, and complains about what takes too long. */
  sweep(nowMs: number): void;
  /** Whatever is not settled is lost. */
  finish(): void;
  readonly counts: Readonly<WindowCounts>;
  waiting(): number;
  /** Entries that are kept now. */
  kept(): number;
  readonly problems: readonly string[];
}

export interface Removable {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
}

export interface WindowCounts {
  emitted: number;
  emittedBad: number;
  registered: number;
  deadLetters: number;
  duplicateObjects: number;
  duplicateRegistered: number;
  lost: number;
}

export interface WindowTimes {
  /** From registered until its object may be taken out. */
  readonly settledMs: number;
  /** From taken out until forgotten. */
  readonly forgetMs: number;
  /** Longer nothing may take. */
  readonly limitMs: number;
}

interface Entry {
  readonly emittedAtMs: number;
  /** "removing": its object is being removed, which may succeed although the answer is lost. */
  state: "waiting" | "registered" | "removing" | "removed";
  changedAtMs: number;
  graphId: string | null;
  constant: string | null;
  isLate: boolean;
}

interface BadEntry {
  due: number;
  changedAtMs: number;
}

const problemsMax = 20;

export function createWindowCheck(times: WindowTimes): WindowCheck {
  const entries = new Map<string, Entry>();
  const bad = new Map<string, BadEntry>();
  const problems: string[] = [];
  const counts: WindowCounts = {
    ...{ emitted: 0, emittedBad: 0, registered: 0, deadLetters: 0 },
    ...{ duplicateObjects: 0, duplicateRegistered: 0, lost: 0 },
  };
  const complain = (text: string) => void (problems.length < problemsMax && problems.push(text));

  return {
    counts,
    problems,
    kept: () => entries.size + bad.size,
    waiting: () => [...entries.values()].filter(({ state }) => state === "waiting").length + dueBad(bad),
    emitted(tenantId, data, nowMs) {
      counts.emitted++;
      const fresh = { graphId: null, constant: null, isLate: false };
      entries.set(nameOf(tenantId, data), {
        ...fresh,
        emittedAtMs: nowMs,
        state: "waiting",
        changedAtMs: nowMs,
      });
    },
    emittedBad(record, nowMs) {
      counts.emittedBad++;
      const value = base64Of(record);
      const entry = bad.get(value) ?? { due: 0, changedAtMs: nowMs };
      bad.set(value, { due: entry.due + 1, changedAtMs: nowMs });
    },
    registered(record, nowMs) {
      const { name, graphId, constant } = readRegistered(record);
      const entry = entries.get(name);
      if (entry === undefined) {
        complain(`registered, but never emitted or long over: ${name}`);
        return null;
      }
      if (entry.state !== "waiting") {
        counts.duplicateRegistered++;
        if (entry.constant !== constant)
          complain(`two registered records differ: ${entry.constant} and ${constant}`);
        return null;
      }
      counts.registered++;
      Object.assign(entry, { state: "registered", changedAtMs: nowMs, graphId, constant });
      return nowMs - entry.emittedAtMs;
    },
    deadLetter(record, nowMs) {
      const entry = bad.get(base64Of(record));
      if (entry === undefined)
        return complain(`a dead letter of a good record: ${recordJson(record).headers["dead-letter"]}`);
      counts.deadLetters++;
      entry.due = Math.max(0, entry.due - 1);
      entry.changedAtMs = nowMs;
    },
    inventory(found, askedAtMs) {
      return takeInventory(found, askedAtMs);
    },
    removed({ name }, nowMs) {
      const entry = entries.get(name);
      if (entry !== undefined) Object.assign(entry, { state: "removed", changedAtMs: nowMs });
    },
    sweep(nowMs) {
      for (const [name, entry] of entries) {
        if (entry.state === "removed" && nowMs - entry.changedAtMs > times.forgetMs) entries.delete(name);
        if (entry.state === "waiting" && !entry.isLate && nowMs - entry.emittedAtMs > times.limitMs) {
          entry.isLate = true;
          complain(`not registered within ${times.limitMs / 1000} s: ${name}`);
        }
      }
      for (const [value, { due, changedAtMs }] of bad) {
        if (due === 0 && nowMs - changedAtMs > times.forgetMs) bad.delete(value);
      }
    },
    finish() {
      for (const [name, { state }] of entries) {
        if (state !== "waiting") continue;
        counts.lost++;
        complain(`lost: ${name}`);
      }
      counts.lost += dueBad(bad);
      if (dueBad(bad) > 0) complain(`lost: ${dueBad(bad)} bad records have no dead letter`);
    },
  };

  function takeInventory(
    found: Readonly<Record<string, readonly GraphObject[]>>,
    askedAtMs: number,
  ): readonly Removable[] {
    const removable: Removable[] = [];
    const seen = new Set<string>();
    for (const [tenantId, objects] of Object.entries(found)) {
      for (const object of objects) {
        const name = nameOf(tenantId, object);
        const entry = entries.get(name);
        const isKnown = entry !== undefined && entry.state !== "removed" && !seen.has(name);
        seen.add(name);
        if (!isKnown) {
          counts.duplicateObjects++;
          complain(`${object.id} is an object too many: ${name}`);
          // Said once: it is taken out.
          removable.push({ tenantId, id: object.id, name });
        } else if (entry.state !== "waiting") {
          if (entry.graphId !== object.id)
            complain(`registered as ${entry.graphId}, Graph holds ${object.id}: ${name}`);
          const isOver = entry.state === "removing" || askedAtMs - entry.changedAtMs > times.settledMs;
          if (isOver) removable.push({ tenantId, id: object.id, name });
          if (isOver) entry.state = "removing";
        }
      }
    }
    for (const [name, entry] of entries) {
      if (seen.has(name)) continue;
      if (entry.state === "removing") Object.assign(entry, { state: "removed", changedAtMs: askedAtMs });
      if (entry.state !== "registered" || entry.changedAtMs >= askedAtMs) continue;
      counts.lost++;
      complain(`registered as ${entry.graphId}, which Graph doesn't hold: ${name}`);
      Object.assign(entry, { state: "removed", changedAtMs: askedAtMs });
    }
    return removable;
  }
}

function dueBad(bad: ReadonlyMap<string, BadEntry>): number {
  return [...bad.values()].reduce((sum, { due }) => sum + due, 0);
}

function base64Of({ value }: NewRecord | LogRecord): string {
  return Buffer.from(value ?? []).toString("base64");
}
