/**
 * What stands in the four topics at a moment: their ids and bounds.
 *
 * 1. INV-KNOWN-LOG: a topic is missing if brokers say so for as long as trouble is waited out. One that was started a moment ago does not
 *    know all topics yet, and a ledger that is gone ends the worker.
 */

import type { Clock, EventLog, SurveyResult, Topic } from "../../../ports.ts";
import { sleep } from "../../../sleep.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { isRefusal, protocolError, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import { listBounds } from "./offsets.ts";

const retryDelayMs = 100;

const roles: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];

export interface SurveySettings {
  readonly nameOf: (topic: Topic) => string;
  /** How long trouble that passes is waited out. */
  readonly timeoutMs: number;
}

export function createSurvey(
  connection: ReconnectingConnection,
  { nameOf, timeoutMs }: SurveySettings,
  clock: Clock,
): EventLog["survey"] {
  return async () => {
    const giveUpAtMs = clock.nowMs() + timeoutMs;
    for (;;) {
      let cluster: ClusterConnection | null = null;
      try {
        cluster = await connection.cluster();
        return await survey(cluster, nameOf, clock.nowMs() > giveUpAtMs);
      } catch (error) {
        if (!protocolError(error) && cluster) connection.drop(cluster);
        const isOver = clock.nowMs() > giveUpAtMs && !(error instanceof MissingTopic);
        if (isRefusal(error) || isOver) return { ok: false, reason: reasonOf(error) };
        await sleep(clock, retryDelayMs);
      }
    }
  };
}

class MissingTopic extends Error {}

async function survey(
  cluster: ClusterConnection,
  nameOf: (topic: Topic) => string,
  mayBeMissing: boolean,
): Promise<SurveyResult> {
  await cluster.refreshMetadata();
  const missing = roles.map(nameOf).find((topic) => cluster.partitionCount(topic) === 0);
  if (missing !== undefined && !mayBeMissing) throw new MissingTopic(`there is no topic ${missing}`); // 1
  const topicPartitions = roles.flatMap((role) => {
    const topic = nameOf(role);
    return Array.from({ length: cluster.partitionCount(topic) }, (_, partition) => ({ topic, partition }));
  });
  const byTopic = Map.groupBy(await listBounds(cluster, topicPartitions, false), ({ topic }) => topic);
  const of = (role: Topic) => {
    const found = byTopic.get(nameOf(role)) ?? [];
    const bounds = found.sort((a, b) => a.partition - b.partition).map(({ start, end }) => ({ start, end }));
    return { id: cluster.topicId(nameOf(role)), bounds };
  };
  const topics = {
    enrolled: of("enrolled"),
    retry: of("retry"),
    registered: of("registered"),
    dlq: of("dlq"),
  };
  return { ok: true, topics };
}
