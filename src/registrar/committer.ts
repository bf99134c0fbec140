/**
 * Commits settledThrough and the attempt watermark of all partitions, in one request.
 *
 * 1. One commit is in flight at a time, under the session that its partitions are confirmed for.
 * 2. A window's `promised` grows only when a commit that carries it was acknowledged; what is stored never shrinks
 *    except by a clean shutdown.
 * 3. A commit of unknown outcome may still land, over later ones, until settleMs after it ended. Until then no
 *    acknowledgement widens a promise; then all positions are committed again.
 * 4. An ordinary commit waits for commitIntervalMs since the last; one that records wait for goes at once.
 */
import { backoffMs } from "../policy/backoff.ts";
import {
  type Clock,
  type Commit,
  type InputTopic,
  inputTopics,
  type Observer,
  type Random,
  type Session,
} from "../ports.ts";
import { encodeMetadata } from "./commit-metadata.ts";
import { isOwned, type OwnedPartition, settledThroughOf, taintedThroughOf, trackOf } from "./partition.ts";
import type { RegistrarSettings } from "./settings.ts";

export interface Committer {
  /** Something settled, or was read. */
  mark(): void;
  /** Records wait for a promise. */
  urge(): void;
  /** A commit just ended with an unknown outcome. */
  distrust(): void;
  /** The last commits of a clean shutdown: promise no more than what may have been carried out. */
  finish(session: Session): Promise<void>;
}

const failureBackoff = { baseMs: 100, capMs: 5_000 };
const finishTriesMax = 3;

export function createCommitter(
  ports: { clock: Clock; random: Random; observe: Observer },
  settings: RegistrarSettings,
  partitions: ReadonlyMap<number, OwnedPartition>,
  onPromised: (partition: OwnedPartition) => void,
): Committer {
  const { clock, random, observe } = ports;
  /** What was last acknowledged, by topic and partition: an unchanged position isn't sent again. */
  const acknowledged = new Map<string, string>();
  let committing = false;
  let finished = false;
  /** Asked for while a commit was in flight. */
  let urged = false;
  let planned: { readonly atMs: number; readonly cancel: () => void } | null = null;
  let lastMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let distrustUntilMs = Number.NEGATIVE_INFINITY;

  return {
    mark: () => planAt(lastMs + settings.commitIntervalMs), // 4
    urge() {
      if (committing) urged = true;
      else if (failures === 0) planAt(clock.nowMs()); // 4
    },
    distrust,
    finish,
  };

  function planAt(atMs: number): void {
    if (finished || committing || (planned !== null && planned.atMs <= atMs)) return;
    planned?.cancel();
    const cancel = clock.after(Math.max(0, atMs - clock.nowMs()), () => {
      planned = null;
      void commit();
    });
    planned = { atMs, cancel };
  }

  async function commit(): Promise<void> {
    const session = confirmedSession();
    const due = session === null ? [] : collect(session, promiseAhead);
    if (finished || session === null || due.length === 0) return;
    committing = true; // 1
    const sentMs = clock.nowMs();
    lastMs = sentMs;
    const result = await session.commit(due.map(({ commit }) => commit));
    committing = false;
    observe({ kind: "committed", result, partitions: due.length });
    if (result === "committed") {
      failures = 0;
      acknowledge(due, sentMs);
      planAt(urged ? clock.nowMs() : lastMs + settings.commitIntervalMs); // 4
      urged = false;
      return;
    }
    // Superseded: the next session goes on from here. Should this one not end after all, we ask again.
    if (result === "unknown") distrust(); // 3
    failures++;
    planAt(clock.nowMs() + backoffMs(failures, random, failureBackoff));
  }

  function distrust(): void {
    // From its end on, not from its sending: a process that froze in between may have sent it as late as that.
    const untilMs = clock.nowMs() + settings.settleMs;
    if (untilMs <= distrustUntilMs) return;
    distrustUntilMs = untilMs;
    clock.after(untilMs - clock.nowMs(), () => {
      if (distrustUntilMs !== untilMs) return;
      acknowledged.clear(); // 3
      planAt(clock.nowMs());
    });
  }

  function acknowledge(due: readonly Due[], sentMs: number): void {
    const promised = new Set<OwnedPartition>();
    for (const { commit, partition, attemptedThrough } of due) {
      // Sent in the time of distrust, acknowledged after it: it has to be sent once more.
      const isStale = sentMs < distrustUntilMs && clock.nowMs() >= distrustUntilMs;
      if (!isStale) acknowledged.set(`${commit.topic}/${commit.partition}`, keyOf(commit));
      const track = trackOf(partition, commit.topic);
      if (attemptedThrough <= track.promised || sentMs < distrustUntilMs) continue; // 3
      track.promised = attemptedThrough; // 2
      promised.add(partition);
    }
    for (const partition of promised) if (isOwned(partition)) onPromised(partition);
  }

  function confirmedSession(): Session | null {
    for (const { confirmed, session } of partitions.values())
      if (confirmed && !session.ended.aborted) return session;
    return null;
  }

  function collect(
    session: Session,
    promise: (partition: OwnedPartition, topic: InputTopic) => number,
  ): Due[] {
    const due: Due[] = [];
    for (const partition of partitions.values()) {
      if (!isOwned(partition) || !partition.confirmed || partition.session !== session) continue; // 1
      for (const topic of inputTopics) {
        const attemptedThrough = promise(partition, topic);
        const metadata = encodeMetadata({ attemptedThrough, claim: partition.claim });
        const commit = {
          topic,
          partition: partition.number,
          offset: settledThroughOf(partition, topic),
          metadata,
        };
        if (acknowledged.get(`${topic}/${partition.number}`) === keyOf(commit)) continue;
        due.push({ commit, partition, attemptedThrough });
      }
    }
    return due;
  }

  /** Ahead of the reading position, in steps, so that an idle partition's commits stay the same. */
  function promiseAhead(partition: OwnedPartition, topic: InputTopic): number {
    const { nextOffset, promised } = trackOf(partition, topic);
    const needed = nextOffset + settings.attemptAhead / 2;
    return needed <= promised ? promised : nextOffset + settings.attemptAhead; // 2
  }

  async function finish(session: Session): Promise<void> {
    finished = true;
    planned?.cancel();
    for (let tries = 0; tries < finishTriesMax; tries++) {
      const due = collect(session, taintedThroughOf);
      if (due.length === 0) return;
      const result = await session.commit(due.map(({ commit }) => commit));
      observe({ kind: "committed", result, partitions: due.length });
      if (result !== "unknown") return;
    }
  }
}

interface Due {
  readonly commit: Commit;
  readonly partition: OwnedPartition;
  readonly attemptedThrough: number;
}

function keyOf({ offset, metadata }: Commit): string {
  return `${offset} ${metadata}`;
}
