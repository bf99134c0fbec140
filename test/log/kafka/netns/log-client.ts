/** Runs on a host of its own: appends and commits what its parent names, and ends as its parent says. */
import { systemClock } from "../../../../src/clock.ts";
import type { ConnectionSettings } from "../../../../src/log/kafka/cluster/cluster.ts";
import { createHealth } from "../../../../src/log/kafka/cluster/health.ts";
import { openReconnectingConnection } from "../../../../src/log/kafka/cluster/reconnecting-connection.ts";
import { createSession } from "../../../../src/log/kafka/group/session.ts";
import { createProducer } from "../../../../src/log/kafka/produce/producer.ts";

const { broker, ca } = JSON.parse(process.argv[2]!) as { broker: string; ca: string | null };
const topic = "connector.enrolled";
const health = createHealth(systemClock, () => {});
const connectionSettings: ConnectionSettings = {
  brokers: [broker],
  clientId: "client",
  security: ca === null ? {} : { ssl: { ca, checkServerIdentity: () => undefined } },
  requestTimeoutMs: 5_000,
  health,
};
const nameOf = () => topic;
const producer = createProducer(
  openReconnectingConnection(connectionSettings, [topic], () => {}),
  { publishTimeoutMs: 5_000, waitingBytesMax: 1_000_000, nameOf, topicIds: new Map() },
  systemClock,
);
const connection = openReconnectingConnection(connectionSettings, [topic], () => {});
const { session } = createSession({
  generation: {
    memberId: "m",
    memberIds: new Set(["m"]),
    generationId: 1,
    partitions: [0],
    topicIds: new Map(),
  },
  joined: { nodeId: 1, sentAt: { monotonicMs: 0, wallMs: 0 } },
  settings: {
    groupId: "g",
    instanceId: null,
    bootstrap: broker,
    sessionTimeoutMs: 10_000,
    maxPartitionFetchBytes: 1_000,
    requestTimeoutMs: 5_000,
    nameOf,
    health,
  },
  ports: {
    connections: { long: connection, short: connection },
    coordinator: (cluster) => cluster.coordinator("g"),
    forgetCoordinator: () => {},
    onGenerationOver: () => {},
    onFenced: () => {},
    onFatal: () => {},
  },
  clock: systemClock,
});

type Order = { begin: string } | { append: string } | { commit: string } | "exit";

process.on("message", async (order: Order) => {
  const append = (text: string) =>
    producer.append([{ topic: "enrolled", partition: 0, key: null, value: Buffer.from(text), headers: [] }]);
  if (order === "exit") process.exit();
  else if ("begin" in order) void append(order.begin);
  else if ("append" in order) process.send!({ result: await append(order.append) });
  else {
    const commit = { topic: "enrolled", partition: 0, offset: 1, metadata: order.commit } as const;
    process.send!({ result: await session.commit([commit]) });
  }
});
process.once("disconnect", () => process.exit());
process.send!({ ready: true });
