/** The first commit of a take-over: our claim, and the first promise. Until it is acknowledged nothing else is done. */
import { momentOf } from "../../moment.ts";
import type { Observer } from "../../observer.ts";
import { type Clock, type Commit, type InputTopic, inputTopics } from "../../ports.ts";
import type { Persist } from "../persist.ts";
import type { RegistrarSettings } from "../settings.ts";
import { encodeMetadata, ownLimits } from "./commit-metadata.ts";
import { renew } from "./lease.ts";
import { knownLogOf, type OwnedPartition, widest } from "./partition.ts";
import type { TakeOver } from "./take-over.ts";

export interface ClaimParts {
  readonly ports: { readonly clock: Clock; readonly observe: Observer };
  readonly settings: RegistrarSettings;
  readonly persist: Persist;
  /** Has Graph shown that it honours our ids? */
  readonly honoursIds: () => boolean;
  /** A commit just ended with an unknown outcome; it may still land. */
  readonly onUnknown: () => void;
}

export type Plans = Readonly<Record<InputTopic, TakeOver>>;
type Watermarks = Readonly<Record<InputTopic, number>>;

/** Resolves to the watermarks that were committed, or null when the session ended first. */
export function commitClaim(
  { ports, settings, persist, honoursIds, onUnknown }: ClaimParts,
  partition: OwnedPartition,
  plans: Plans,
): Promise<Watermarks | null> {
  const { number, lease } = partition;
  const { holder } = lease.session;
  // INV-DOUBT: what is in doubt is not known yet; a parked record carries its own doubt, outside all watermarks.
  const limits = widest(ownLimits(settings, honoursIds()), partition.inherited);
  const watermarks = watermarksOf(plans, settings.attemptAhead);
  const commits = inputTopics.map((topic): Commit => {
    if (limits.isHonoured) partition.saysHonoured.add(topic); // INV-DOUBT
    const { startAt } = plans[topic];
    const known = knownLogOf(partition, topic, startAt);
    const metadata = encodeMetadata({
      attemptedThrough: watermarks[topic],
      claim: partition.claim,
      limits,
      known,
      ...(holder === undefined ? {} : { holder }),
    });
    return { topic, partition: number, offset: startAt, metadata };
  });
  return persist(lease.session.ended, "commit", async () => {
    const sentAt = momentOf(ports.clock);
    const result = await lease.session.commit(commits);
    if (result === "committed") renew(lease, sentAt); // INV-LEASE
    if (result === "unknown") onUnknown();
    ports.observe({ kind: "committed", result, partitions: 1 });
    if (result === "committed") return { ok: true, value: watermarks };
    return { ok: false, reason: `the claim of partition ${number} was not acknowledged (${result})` };
  });
}

/** What is stored never shrinks. */
function watermarksOf(plans: Plans, attemptAhead: number): Watermarks {
  const of = ({ attemptedThrough, startAt }: TakeOver) => Math.max(attemptedThrough, startAt + attemptAhead);
  return { enrolled: of(plans.enrolled), retry: of(plans.retry) };
}
