/** A partition's leader moves, without the end of any connection, while only a short poll asks for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../../../src/clock.ts";
import type { Broker } from "../../../../src/log/kafka/cluster/broker.ts";
import { createHealth } from "../../../../src/log/kafka/cluster/health.ts";
import type { ReconnectingConnection } from "../../../../src/log/kafka/cluster/reconnecting-connection.ts";
import { createFetchBuffer } from "../../../../src/log/kafka/fetch/fetch-buffer.ts";
import type { Fetched } from "../../../../src/log/kafka/fetch/fetch-request.ts";
import { createFetcher, type Fetcher } from "../../../../src/log/kafka/fetch/fetcher.ts";
import { encodeBatch } from "../../../../src/log/kafka/fetch/record-batch.ts";
import { fakeConnection } from "../fake-broker.ts";
import { fetched } from "./fetched.ts";

const batch = encodeBatch([{ key: null, value: Buffer.of(1), headers: [] }], 0, {
  id: -1,
  epoch: -1,
  sequence: -1,
});
const [oldLeader, newLeader] = [1, 2];

/** What each connection knows is as of its own last refresh. */
async function connectionOf(
  leader: () => number,
  send: (nodeId: number) => Promise<Fetched[]>,
): Promise<ReconnectingConnection> {
  const connection = fakeConnection({});
  let known = leader();
  Object.assign(await connection.cluster(), {
    leaderOf: (_: string, partition: number) => (partition === 0 ? oldLeader : known),
    refreshMetadata: async () => {
      known = leader();
    },
    broker: async (nodeId: number) =>
      ({ nodeId, versions: {}, send: () => send(nodeId) }) as unknown as Broker,
  });
  return connection;
}

test("the new leader is asked, also while the old one's long poll over other partitions is out", async (t) => {
  let leader = oldLeader;
  const longPollOut = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<string>();
  let refusals = 0;
  const long = await connectionOf(
    () => leader,
    async (nodeId) => {
      if (nodeId === newLeader) return fetched({ partition: 1, bytes: batch });
      longPollOut.resolve();
      return new Promise(() => {});
    },
  );
  const short = await connectionOf(
    () => leader,
    async (nodeId) => {
      leader = newLeader;
      if (nodeId === newLeader) return fetched({ partition: 1, bytes: batch });
      refusals += 1;
      if (refusals === 5) outcome.resolve("the old leader is asked again and again");
      return fetched({ partition: 1, errorCode: 6 });
    },
  );
  const inputs = [0, 1].map(
    (partition) => ({ topic: "enrolled", name: "t", topicId: null, partition }) as const,
  );
  const buffer = createFetchBuffer(inputs, () => fetcher.pump());
  const health = createHealth(systemClock, () => {});
  const fetcher: Fetcher = createFetcher({
    buffer,
    connections: { long, short },
    settings: { maxPartitionFetchBytes: 1000, health, groupId: "g", bootstrap: "b:9092" },
    clock: systemClock,
    onFatal: assert.fail,
  });
  t.after(() => {
    fetcher.stop();
    buffer.end();
    health.close();
  });
  buffer.seek("enrolled", 0, 0, -1);
  await longPollOut.promise;
  buffer.seek("enrolled", 1, 0, -1);
  void buffer.read("enrolled", 1).then(({ kind }) => outcome.resolve(kind));
  assert.equal(await outcome.promise, "records");
  assert.equal(refusals, 1);
});
