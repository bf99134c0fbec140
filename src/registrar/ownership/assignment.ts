/** What a worker must know of the log before it takes partitions over: their stored commits, and the topics as they are. */
import {
  type EventLog,
  type InputPosition,
  type InputTopic,
  inputTopics,
  type Session,
  type TopicSurveys,
} from "../../ports.ts";
import type { Persist } from "../persist.ts";
import { decodeMetadata } from "./commit-metadata.ts";

export interface Assignment {
  readonly positions: readonly InputPosition[];
  readonly topics: TopicSurveys;
}

export type ByTopic = Readonly<Record<InputTopic, InputPosition>>;

/** Null: the session ended first. */
export async function readAssignment(
  { log, persist }: { readonly log: EventLog; readonly persist: Persist },
  session: Session,
  partitions: readonly number[],
): Promise<Assignment | null> {
  const positions = await persist(session.ended, "positions", async () => {
    const result = await session.positions(partitions);
    return result.ok ? { ok: true, value: result.positions } : result;
  });
  const topics = await persist(session.ended, "survey", async () => {
    const result = await log.survey();
    return result.ok ? { ok: true, value: result.topics } : result;
  });
  return positions === null || topics === null ? null : { positions, topics };
}

export function positionsOf({ positions }: Assignment, partition: number): ByTopic {
  const found = {} as Record<InputTopic, InputPosition>;
  for (const position of positions) if (position.partition === partition) found[position.topic] = position;
  return found;
}

/** Do the stored commits of both inputs carry this claim? */
export function carryClaim(positions: ByTopic, claim: string): boolean {
  return inputTopics.every((topic) => claimOf(positions[topic]) === claim);
}

/**
 * For how long from the assignment on the worker that committed last may still begin creates: 0, unless it holds a static place, did
 * not stop cleanly, and did not come into this generation by itself.
 */
export function overlapMs(positions: ByTopic, session: Session): number {
  const holders = inputTopics.map(
    (topic) => decodeMetadata(positions[topic].committed?.metadata ?? "")?.holder,
  );
  return Math.max(
    ...holders.map((holder) =>
      holder === undefined || session.joinedBy?.(holder.memberId) ? 0 : holder.overlapMs,
    ),
  );
}

function claimOf({ committed }: InputPosition): string | null {
  return committed === null ? null : (decodeMetadata(committed.metadata)?.claim ?? null);
}
