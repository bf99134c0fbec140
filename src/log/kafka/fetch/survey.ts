/** What stands in the four topics at a moment: their ids and bounds. */

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
        return await survey(cluster, nameOf);
      } catch (error) {
        if (!protocolError(error) && cluster) connection.drop(cluster);
        if (isRefusal(error) || clock.nowMs() > giveUpAtMs) return { ok: false, reason: reasonOf(error) };
        await sleep(clock, retryDelayMs);
      }
    }
  };
}

async function survey(cluster: ClusterConnection, nameOf: (topic: Topic) => string): Promise<SurveyResult> {
  await cluster.refreshMetadata();
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
