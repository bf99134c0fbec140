import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualTime } from "../../../../lab/testkit/virtual-time.ts";
import type { ReconnectingConnection } from "../../../../src/log/kafka/cluster/reconnecting-connection.ts";
import { createSurvey } from "../../../../src/log/kafka/fetch/survey.ts";
import { fakeConnection, listOffsets } from "../fake-broker.ts";

/** `countOf`: partitions of the ledger's topic, by what each connection's broker knows. */
function surveyOver(countOf: (connection: number) => number) {
  const time = virtualTime();
  const connection = fakeConnection({
    listOffsets: listOffsets(
      () => 1,
      () => 5,
    ),
  });
  const known: ReconnectingConnection = {
    ...connection,
    cluster: async () => {
      const cluster = await connection.cluster();
      const partitionCount = (topic: string) => (topic === "registered" ? countOf(connection.opened) : 1);
      return Object.assign(cluster, { partitionCount });
    },
  };
  return { time, survey: createSurvey(known, { nameOf: (topic) => topic, timeoutMs: 1_000 }, time) };
}

test("a broker that does not know a topic yet is not believed: another one is asked", async () => {
  const { time, survey } = surveyOver((connection) => (connection < 3 ? 0 : 1));
  const result = survey();
  await time.pass(500);
  const { topics } = (await result) as Extract<Awaited<typeof result>, { ok: true }>;
  assert.deepEqual(topics.registered.bounds, [{ start: 1, end: 5 }]);
});

test("a topic that no broker knows is not there: that is the answer, once the time is over", async () => {
  const { time, survey } = surveyOver(() => 0);
  const result = survey();
  await time.pass(1_500);
  const { topics } = (await result) as Extract<Awaited<typeof result>, { ok: true }>;
  assert.deepEqual(topics.registered.bounds, []);
  assert.equal(topics.enrolled.bounds.length, 1);
});
