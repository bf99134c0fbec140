/**
 * Replays of the console: the command's own selection and sending (src/replay), in two steps.
 *
 * 1. Nothing is appended before a dry run was shown and confirmed, once, within some minutes.
 * 2. What is sent is what was shown, less what was replayed or registered meanwhile: it is looked for again.
 * 3. One at a time. A stop of the service ends it after the records that are under way.
 * 4. The chosen dead letters are remembered only for runs that may be confirmed, up to a limit in all.
 */
import { randomUUID } from "node:crypto";
import type { Clock, EventLog } from "../../ports.ts";
import { type Filter, type Selection, select } from "../../replay/select.ts";
import { type Replayed, send } from "../../replay/send.ts";
import type { ServiceNote, Waits } from "../parts.ts";
import { consoleLimits } from "./limits.ts";

export type ReplayFilter = Omit<Filter, "ids"> & { readonly ids: ReadonlySet<string> | null };

/** looking: the dry run is under way; shown: it is done, and may be confirmed; sending, sent; failed. */
export type ReplayState = "looking" | "shown" | "sending" | "sent" | "failed";

export interface ReplayRun {
  readonly id: string;
  /** Who asked for it. */
  readonly by: string;
  readonly filter: ReplayFilter;
  readonly state: ReplayState;
  /** Wall clock; since it is in this state. */
  readonly sinceMs: number;
  /** Of the dry run, or of the replay itself. */
  readonly selection: Omit<Selection, "ids"> | null;
  readonly byCode: ReadonlyMap<string, number>;
  /** The first ones. */
  readonly listed: readonly {
    readonly id: string;
    readonly code: string;
    readonly partition: number;
  }[];
  /** Of the dry run: how many are to go. */
  readonly chosen: number;
  /** How many have gone. */
  readonly sent: number;
  readonly why: string | null;
  /** It can't be confirmed any longer. */
  readonly isStale: boolean;
}

export interface ReplayRuns {
  /** Null: another one is under way, or the log is not open. */
  begin(filter: ReplayFilter, by: string): ReplayRun | null;
  /** False: it is not there to be confirmed. */
  confirm(id: string, by: string): boolean;
  find(id: string): ReplayRun | null;
  latest(): readonly ReplayRun[];
  /** For pages that show it: changes with it. */
  revision(): number;
  ended(): Promise<void>;
}

export interface ReplayParts {
  readonly clock: Clock;
  readonly log: () => EventLog | null;
  readonly waits: Waits;
  readonly isTenantAllowed: (tenantId: string) => boolean;
  readonly note: (note: ServiceNote) => void;
  /** Unless it is given: limits.ts. */
  readonly idsKept?: number;
}

type Run = { -readonly [name in keyof Omit<ReplayRun, "isStale">]: ReplayRun[name] } & {
  /** That may be confirmed; null: none, or they are forgotten. */
  ids: ReadonlySet<string> | null;
};

export function createReplayRuns(parts: ReplayParts): ReplayRuns {
  const { clock, log, waits, isTenantAllowed, note, idsKept = consoleLimits.replayIdsKept } = parts;
  const runs = new Map<string, Run>();
  let current: Promise<void> | null = null;
  let revision = 0;

  const change = (run: Run, changes: Partial<Run>) => {
    Object.assign(run, changes, changes.state === undefined ? {} : { sinceMs: clock.wallMs() });
    revision++;
  };
  const isStale = ({ state, ids, sinceMs }: Run) =>
    state === "shown" && (ids === null || clock.wallMs() - sinceMs > consoleLimits.confirmMs);
  const view = (run: Run): ReplayRun => {
    const { ids: _, ...shown } = run;
    return { ...shown, isStale: isStale(run) };
  };

  /** 4. The latest one is kept, whatever its number of dead letters. */
  function forgetIds(): void {
    let kept = 0;
    for (const run of [...runs.values()].reverse()) {
      const size = run.ids?.size ?? 0;
      if (run.state !== "shown" || isStale(run) || (kept > 0 && kept + size > idsKept)) run.ids = null;
      else kept += size;
    }
  }

  /** 3. False: another one is under way, or there is no log. */
  function start(run: Run, isDryRun: boolean): boolean {
    const opened = log();
    const stop = new AbortController();
    const abort = () => stop.abort();
    if (opened === null || current !== null || !waits.enter(abort)) return false;
    change(run, { state: isDryRun ? "looking" : "sending", byCode: new Map(), sent: 0 });
    current = work(run, { opened, isDryRun }, stop.signal)
      .catch((error: unknown) => change(run, { state: "failed", why: String(error) }))
      .finally(() => {
        current = null;
        forgetIds();
        waits.leave(abort);
      });
    return true;
  }

  async function work(
    run: Run,
    { opened, isDryRun }: { readonly opened: EventLog; readonly isDryRun: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const filter = isDryRun ? run.filter : { ...run.filter, ids: run.ids }; // 2
    const selection = await select(opened, filter, { isServed: isTenantAllowed, signal });
    if (!selection.ok) return change(run, { state: "failed", why: whyNot(selection.reason, signal) });
    const { ids, ...found } = selection;
    change(run, { selection: found, ids: isDryRun ? new Set(ids) : null });
    const settings = {
      perSecond: consoleLimits.replaysPerSecond,
      dryRun: isDryRun,
      onReplayed: (group: readonly Replayed[]) => tell(run, group, isDryRun),
    };
    const result = await send({ log: opened, clock, signal }, ids, settings);
    if (!result.ok) return change(run, { state: "failed", why: whyNot(result.reason, signal) });
    change(run, { state: isDryRun ? "shown" : "sent" });
    if (!isDryRun)
      note({
        level: "info",
        event: "replay-done",
        message: `Replay ${run.id}: ${run.sent} dead letters were put back into the input.`,
      });
  }

  function tell(run: Run, group: readonly Replayed[], isDryRun: boolean): void {
    const byCode = new Map(run.byCode);
    for (const { letter } of group)
      byCode.set(letter.refusal.code, (byCode.get(letter.refusal.code) ?? 0) + 1);
    if (!isDryRun) return change(run, { byCode, sent: run.sent + group.length });
    const room = consoleLimits.replayListed - run.listed.length;
    const more = group.slice(0, Math.max(0, room)).map(({ letter, record }) => ({
      ...{ id: letter.id, code: letter.refusal.code, partition: record.partition },
    }));
    change(run, { byCode, listed: [...run.listed, ...more], chosen: run.chosen + group.length });
  }

  return {
    begin(filter, by) {
      const run: Run = {
        ...{ id: randomUUID(), by, filter, state: "looking", sinceMs: clock.wallMs(), selection: null },
        ...{ byCode: new Map(), listed: [], chosen: 0, sent: 0, why: null, ids: null },
      };
      if (!start(run, true)) return null;
      if (runs.size >= consoleLimits.replaysKept) runs.delete(runs.keys().next().value!);
      runs.set(run.id, run);
      return view(run);
    },
    confirm(id, by) {
      const run = runs.get(id);
      if (run === undefined || run.state !== "shown" || isStale(run)) return false; // 1
      if (!start(run, false)) return false;
      const message = `Replay ${run.id} of ${run.chosen} dead letters was confirmed by ${by}.`;
      note({ level: "info", event: "replay-confirmed", message });
      return true;
    },
    find(id) {
      const run = runs.get(id);
      return run === undefined ? null : view(run);
    },
    latest: () => [...runs.values()].reverse().map(view),
    revision: () => revision,
    ended: async () => void (await current),
  };
}

function whyNot(reason: string, signal: AbortSignal): string {
  return signal.aborted ? "The service was stopped meanwhile." : reason;
}
