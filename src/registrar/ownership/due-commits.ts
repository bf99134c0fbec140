/**
 * What a commit holds: of each partition that is confirmed under one lease, the positions that are not stored yet.
 *
 * 1. INV-WATERMARK: what is promised never shrinks, except by a clean shutdown. It goes ahead of the reading position, in steps, so that
 *    an idle partition's commits stay the same.
 * 2. INV-DOUBT: each commit carries what the next owner must wait for.
 * 3. INV-LEASE: a static member's commits say who holds the partition, until the last one: after that it begins nothing.
 */
import { type Commit, type Holder, type InputTopic, inputTopics } from "../../ports.ts";
import type { RegistrarSettings } from "../settings.ts";
import { encodeMetadata, type Limits, ownLimits } from "./commit-metadata.ts";
import type { Lease } from "./lease.ts";
import {
  isOwned,
  knownLogOf,
  limitsOf,
  type OwnedPartition,
  settledThroughOf,
  taintedThroughOf,
  trackOf,
} from "./partition.ts";

export interface Due {
  readonly commit: Commit;
  readonly partition: OwnedPartition;
  readonly attemptedThrough: number;
  /** It says that Graph honours ids. */
  readonly isHonoured: boolean;
}

export interface DueCommits {
  /** `isRenewal`: at least one commit, though nothing changed. */
  collect(lease: Lease, how: { readonly isRenewal: boolean }): Due[];
  /** Of a clean shutdown: promises no more than what may have been carried out. */
  collectLast(lease: Lease): Due[];
  /** It was acknowledged: unchanged, it isn't due again. */
  noteStored(commit: Commit): void;
  /** Another commit may have landed over what was acknowledged. */
  forgetStored(): void;
}

export interface DueCommitsParts {
  readonly settings: RegistrarSettings;
  readonly owned: ReadonlyMap<number, OwnedPartition>;
  /** Has Graph shown that it honours our ids? */
  readonly honoursIds: () => boolean;
}

export function createDueCommits({ settings, owned, honoursIds }: DueCommitsParts): DueCommits {
  /** By topic and partition. */
  const stored = new Map<string, string>();
  return {
    collect(lease, { isRenewal }) {
      const all = positionsUnder(lease, promiseAhead, lease.session.holder);
      const changed = all.filter(isChanged);
      return changed.length === 0 && isRenewal ? all.slice(0, 1) : changed;
    },
    collectLast: (lease) => positionsUnder(lease, taintedThroughOf).filter(isChanged),
    noteStored: (commit) => void stored.set(placeOf(commit), keyOf(commit)),
    forgetStored: () => stored.clear(),
  };

  function positionsUnder(
    lease: Lease,
    promise: (partition: OwnedPartition, topic: InputTopic) => number,
    holder?: Holder,
  ): Due[] {
    const own = ownLimits(settings, honoursIds());
    return [...owned.values()]
      .filter((partition) => isOwned(partition) && partition.confirmed && partition.lease === lease)
      .flatMap((partition) =>
        inputTopics.map((topic) => {
          const attemptedThrough = promise(partition, topic);
          const limits = limitsOf(partition, own); // INV-DOUBT
          const commit = commitOf(partition, topic, { attemptedThrough, limits, holder }); // 3
          return { commit, partition, attemptedThrough, isHonoured: limits.isHonoured };
        }),
      );
  }

  function isChanged({ commit }: Due): boolean {
    return stored.get(placeOf(commit)) !== keyOf(commit);
  }

  function promiseAhead(partition: OwnedPartition, topic: InputTopic): number {
    const { nextOffset, attemptedThrough } = trackOf(partition, topic);
    const needed = nextOffset + settings.attemptAhead / 2;
    return needed <= attemptedThrough ? attemptedThrough : nextOffset + settings.attemptAhead; // INV-WATERMARK
  }
}

interface Promised {
  readonly attemptedThrough: number;
  readonly limits: Limits;
  readonly holder: Holder | undefined;
}

function commitOf(
  partition: OwnedPartition,
  topic: InputTopic,
  { attemptedThrough, limits, holder }: Promised,
): Commit {
  const offset = settledThroughOf(partition, topic);
  const metadata = encodeMetadata({
    attemptedThrough,
    claim: partition.claim,
    limits,
    known: knownLogOf(partition, topic, offset),
    ...(holder === undefined ? {} : { holder }),
  });
  return { topic, partition: partition.number, offset, metadata };
}

function placeOf({ topic, partition }: Commit): string {
  return `${topic}/${partition}`;
}

function keyOf({ offset, metadata }: Commit): string {
  return `${offset} ${metadata}`;
}
