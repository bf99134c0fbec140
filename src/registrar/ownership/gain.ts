/**
 * Takes one partition over: reads its ledger, plans where to begin, commits our claim, finds out what is suspect.
 *
 * 1. INV-CLAIM: its own claim is committed before anything else, so the next owner can tell. INV-LEDGER-READ: no create begins before
 *    that claim is acknowledged and the ledger was read to its end as of the assignment.
 * 2. INV-DOUBT: whatever a previous owner may have attempted is known by its enrollment before any record is looked at: a copy of it
 *    may stand elsewhere, outside the watermark.
 * 3. INV-KNOWN-LOG: the log must be the one that the stored commits know: the same topics, none shorter than it was.
 */
import {
  type InputPosition,
  type InputTopic,
  inputTopics,
  type Random,
  type TopicSurveys,
} from "../../ports.ts";
import { isProblem, type Problem } from "../../problem.ts";
import { randomUuid } from "../claim.ts";
import { createParking } from "../intake/parking.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerReader } from "../ledger/ledger-reader.ts";
import type { RegistrarSettings } from "../settings.ts";
import type { ByTopic } from "./assignment.ts";
import { type ClaimParts, commitClaim, type Plans } from "./commit-claim.ts";
import { decodeMetadata, type KnownLog, type Limits } from "./commit-metadata.ts";
import type { Lease } from "./lease.ts";
import { createPartition, type OwnedPartition, trackOf, widest } from "./partition.ts";
import type { Suspects } from "./suspects.ts";
import { fromTheStart, gapFault, type InputGap, planTakeOver, type TakeOver } from "./take-over.ts";

export interface Gaining {
  readonly number: number;
  readonly positions: ByTopic;
  readonly topics: TopicSurveys;
  readonly lease: Lease;
  readonly assignedAtMs: number;
  /** An input whose stored position means nothing any more. */
  readonly lost: InputTopic | null;
}

export interface Gained {
  readonly partition: OwnedPartition;
  /** Offsets at which a previous owner may have attempted a record. */
  readonly suspects: number;
  /** What the operator said to pass over. */
  readonly passed: readonly InputGap[];
}

export interface GainParts extends ClaimParts {
  readonly random: Random;
  readonly ledgers: Pick<LedgerReader, "open">;
  readonly suspects: Pick<Suspects, "find">;
}

/** Null: the session ended first. `lost`: noticed only now. */
export async function gain(
  parts: GainParts,
  gaining: Gaining,
): Promise<Gained | { readonly lost: InputGap } | Problem | null> {
  const { number, positions, topics, lease } = gaining;
  const { session } = lease;
  const known = inputTopics.map((topic) => knownBy(positions[topic]));
  const ledger = await parts.ledgers.open(
    { partition: number, topic: topics.registered, known },
    session.ended,
  ); // INV-LEDGER-READ, INV-KNOWN-LOG
  if (ledger === null || isProblem(ledger)) return ledger;
  const plans = planBoth(gaining, ledger, parts.settings);
  if (isProblem(plans)) return plans;
  const partition = partitionFrom(
    gaining,
    { plans, ledger, claim: randomUuid(parts.random) },
    parts.settings,
  );
  const watermarks = await commitClaim(parts, partition, plans); // INV-CLAIM
  if (watermarks === null) return null;
  const found = await parts.suspects.find(partition, session); // INV-DOUBT
  if (found === "ended") return null;
  if (found !== "found") {
    const { topic, gap } = found; // INV-KNOWN-LOG
    return parts.settings.onRetentionGap === "stop" ? gapFault(topic, number, gap) : { lost: found };
  }
  for (const topic of inputTopics) trackOf(partition, topic).attemptedThrough = watermarks[topic]; // INV-WATERMARK
  return { partition, suspects: countSuspects(plans), passed: passedOf(plans) };
}

function planBoth(
  { positions, topics, lost }: Gaining,
  ledger: Ledger,
  { onRetentionGap }: RegistrarSettings,
): Plans | Problem {
  const plans = {} as Record<InputTopic, TakeOver>;
  // Both inputs are committed in one request: one of them alone says that the other's was deleted since.
  const isUntouched =
    ledger.nextOffset === 0 && inputTopics.every((topic) => positions[topic].committed === null);
  for (const topic of inputTopics) {
    const plan = planTakeOver(positions[topic], {
      topicId: topics[topic].id,
      isUntouched,
      onRetentionGap,
    });
    if (isProblem(plan)) return plan;
    plans[topic] = topic === lost ? fromTheStart(plan, positions[topic]) : plan;
  }
  return plans;
}

function partitionFrom(
  { number, topics, lease, assignedAtMs }: Gaining,
  { plans, ledger, claim }: { readonly plans: Plans; readonly ledger: Ledger; readonly claim: string },
  settings: RegistrarSettings,
): OwnedPartition {
  return createPartition({
    number,
    claim,
    lease,
    takenOverAtMs: assignedAtMs,
    plans,
    inherited: inheritedLimits(plans, settings),
    topicIds: {
      enrolled: topics.enrolled.id,
      retry: topics.retry.id,
      registered: topics.registered.id,
    },
    ledger,
    parking: createParking(plans.retry.startAt),
    deadLettersEnd: topics.dlq.bounds[number]?.end ?? 0,
  });
}

function passedOf(plans: Plans): InputGap[] {
  return inputTopics.flatMap((topic) => {
    const { passed } = plans[topic];
    return passed === null ? [] : [{ topic, gap: passed }];
  });
}

function countSuspects(plans: Plans): number {
  return inputTopics.reduce((sum, topic) => sum + plans[topic].suspectsBelow - plans[topic].startAt, 0);
}

function inheritedLimits(plans: Plans, { settleMs, orphanMs }: RegistrarSettings): Limits {
  const unknown: Limits = { settleMs, orphanMs, isHonoured: false };
  return widest(plans.enrolled.limits ?? unknown, plans.retry.limits ?? unknown);
}

function knownBy({ committed }: InputPosition): KnownLog | null {
  return committed === null ? null : (decodeMetadata(committed.metadata)?.known ?? null);
}
