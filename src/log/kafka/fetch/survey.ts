/** What stands in the four topics at a moment: their ids and bounds. */
import type { Clock, EventLog, SurveyResult, Topic } from "../../../ports.ts";
import type { Wire } from "../cluster/client.ts";
import { isRefusal, protocolError, reasonOf } from "../cluster/errors.ts";
import type { Line } from "../cluster/line.ts";
import { listBounds } from "./offsets.ts";
import { delay } from "./reader.ts";

const retryDelayMs = 100;

const roles: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];

/** @param timeoutMs how long trouble that passes is waited out. */
export function createSurvey(
  line: Line,
  nameOf: (topic: Topic) => string,
  timeoutMs: number,
  clock: Clock,
): EventLog["survey"] {
  return async () => {
    const giveUpAtMs = clock.nowMs() + timeoutMs;
    for (;;) {
      let wire: Wire | null = null;
      try {
        wire = await line.wire();
        return await survey(wire, nameOf);
      } catch (error) {
        if (!protocolError(error) && wire) line.drop(wire);
        if (isRefusal(error) || clock.nowMs() > giveUpAtMs) return { ok: false, reason: reasonOf(error) };
        await delay(clock, retryDelayMs);
      }
    }
  };
}

async function survey(wire: Wire, nameOf: (topic: Topic) => string): Promise<SurveyResult> {
  await wire.refresh();
  const places = roles.flatMap((role) => {
    const topic = nameOf(role);
    return Array.from({ length: wire.partitionCount(topic) }, (_, partition) => ({ topic, partition }));
  });
  const byTopic = Map.groupBy(await listBounds(wire, places, false), ({ topic }) => topic);
  const of = (role: Topic) => {
    const found = byTopic.get(nameOf(role)) ?? [];
    const bounds = found.sort((a, b) => a.partition - b.partition).map(({ start, end }) => ({ start, end }));
    return { id: wire.topicId(nameOf(role)), bounds };
  };
  const topics = {
    enrolled: of("enrolled"),
    retry: of("retry"),
    registered: of("registered"),
    dlq: of("dlq"),
  };
  return { ok: true, topics };
}
