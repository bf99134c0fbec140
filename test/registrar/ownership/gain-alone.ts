/** One take-over alone, over a ledger and suspects that answer as they are told to. */
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { Bounds, Commit, InputTopic, Session, TopicSurveys } from "../../../src/ports.ts";
import type { Problem } from "../../../src/problem.ts";
import { createLedger, type Ledger } from "../../../src/registrar/ledger/ledger.ts";
import type { Opening } from "../../../src/registrar/ledger/ledger-reader.ts";
import {
  encodeMetadata,
  type KnownLog,
  type Limits,
} from "../../../src/registrar/ownership/commit-metadata.ts";
import { gain } from "../../../src/registrar/ownership/gain.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Found } from "../../../src/registrar/ownership/suspects.ts";
import { createPersist } from "../../../src/registrar/persist.ts";

export const attemptAhead = 10;

export interface Stored {
  readonly offset: number;
  readonly attemptedThrough?: number;
  readonly limits?: Limits;
  readonly known?: KnownLog;
}

interface Given {
  /** Null: no commit is stored. */
  readonly enrolled?: Stored | null;
  readonly retry?: Stored | null;
  readonly bounds?: Bounds;
  readonly ledger?: Ledger | Problem | null;
  readonly found?: Found;
  readonly lost?: InputTopic | null;
  readonly onRetentionGap?: "stop" | "continue";
  /** The session ends while its claim is committed. */
  readonly ends?: boolean;
}

export const at = (offset: number, attemptedThrough = offset): Stored => ({ offset, attemptedThrough });

/** Takes over partition 1 of two; each input holds the offsets from 2 to 8. */
export async function take({
  enrolled = at(4),
  retry = at(3),
  bounds = { start: 2, end: 9 },
  ledger = createLedger("id-registered"),
  found = "found",
  lost = null,
  onRetentionGap = "stop",
  ends = false,
}: Given = {}) {
  const time = virtualTime();
  const ended = new AbortController();
  const steps: string[] = [];
  const commits: Commit[] = [];
  let opening: Opening | null = null;
  const session = {
    ended: ended.signal,
    async commit(all: readonly Commit[]) {
      steps.push("commit");
      commits.push(...all);
      if (ends) ended.abort();
      return "committed";
    },
  } as unknown as Session;
  const position = (topic: InputTopic, stored: Stored | null) => {
    const { offset, attemptedThrough = 0, limits = null, known = null } = stored ?? { offset: 0 };
    const metadata = encodeMetadata({ attemptedThrough, claim: "theirs", limits, known });
    const committed = stored === null ? null : { offset, metadata };
    return { topic, partition: 1, committed, logStart: bounds.start, logEnd: bounds.end };
  };
  const both = (id: string) => ({ id, bounds: [{ start: 0, end: 77 }, bounds] });
  const topics: TopicSurveys = {
    ...{ enrolled: both("id-enrolled"), retry: both("id-retry"), registered: both("id-registered") },
    dlq: { id: "id-dlq", bounds: [{ start: 0, end: 7 }, ...(lost === null ? [{ start: 0, end: 6 }] : [])] },
  };
  const ports = { clock: time, random: () => 0.5, observe: () => {} };
  const gained = await gain(
    {
      ...{ ports, random: ports.random, persist: createPersist(ports) },
      ...{ settings: { ...settings, attemptAhead, onRetentionGap } },
      ...{ honoursIds: () => true, onUnknown: () => {} },
      ledgers: {
        async open(of) {
          steps.push("ledger");
          opening = of;
          return ledger;
        },
      },
      suspects: {
        async find() {
          steps.push("suspects");
          return found;
        },
      },
    },
    {
      ...{ number: 1, topics, lease: createLease(session), assignedAtMs: 500, lost },
      positions: { enrolled: position("enrolled", enrolled), retry: position("retry", retry) },
    },
  );
  return { gained, steps, commits, topics, opening: opening as Opening | null };
}
