/**
 * The requests that kafkajs encodes: the version that it chooses where a broker speaks all of them, the bytes that it
 * sends, and what it makes of an answer. Written by Kafka's protocol, not by what kafkajs does.
 */

import type { Broker } from "../../../src/log/kafka/cluster/broker.ts";
import { ByteWriter } from "../../../src/log/kafka/cluster/bytes.ts";

export interface RequestCase {
  readonly name: keyof Broker;
  readonly key: number;
  readonly version: number;
  readonly call: (broker: Broker) => Promise<unknown>;
  readonly body: ByteWriter;
  readonly answer: ByteWriter;
  /** What this adapter reads of it; more may be there. */
  readonly result: object;
}

const bytes = () => new ByteWriter();
/** As the protocol's BYTES. */
const blob = (to: ByteWriter, value: Buffer) => to.int32(value.length).raw(value);
const [metadata, assignment] = [Buffer.from("metadata"), Buffer.from("assignment")];

export const requestCases: readonly RequestCase[] = [
  {
    name: "joinGroup",
    key: 11,
    version: 5,
    call: (broker) =>
      broker.joinGroup({
        groupId: "g",
        memberId: "m",
        sessionTimeout: 7,
        rebalanceTimeout: 8,
        groupProtocols: [{ name: "p", metadata }],
      }),
    body: blob(
      bytes().string("g").int32(7).int32(8).string("m").string(null).string("consumer").int32(1).string("p"),
      metadata,
    ),
    answer: blob(
      bytes()
        .int32(0)
        .int16(0)
        .int32(4)
        .string("p")
        .string("m1")
        .string("m2")
        .int32(1)
        .string("m1")
        .string(null),
      metadata,
    ),
    result: {
      generationId: 4,
      leaderId: "m1",
      memberId: "m2",
      members: [{ memberId: "m1", memberMetadata: metadata }],
    },
  },
  {
    name: "syncGroup",
    key: 14,
    version: 3,
    call: (broker) =>
      broker.syncGroup({
        groupId: "g",
        generationId: 4,
        memberId: "m",
        groupAssignment: [{ memberId: "m1", memberAssignment: assignment }],
      }),
    body: blob(bytes().string("g").int32(4).string("m").string(null).int32(1).string("m1"), assignment),
    answer: blob(bytes().int32(0).int16(0), assignment),
    result: { memberAssignment: assignment },
  },
  {
    name: "heartbeat",
    key: 12,
    version: 3,
    call: (broker) => broker.heartbeat({ groupId: "g", groupGenerationId: 4, memberId: "m" }),
    body: bytes().string("g").int32(4).string("m").string(null),
    answer: bytes().int32(0).int16(0),
    result: {},
  },
  {
    name: "leaveGroup",
    key: 13,
    version: 3,
    call: (broker) => broker.leaveGroup({ groupId: "g", memberId: "m" }),
    body: bytes().string("g").int32(1).string("m").string(null),
    answer: bytes().int32(0).int16(0).int32(1).string("m").string(null).int16(0),
    result: {},
  },
  {
    name: "offsetCommit",
    key: 8,
    version: 5,
    call: (broker) =>
      broker.offsetCommit({
        groupId: "g",
        groupGenerationId: 4,
        memberId: "m",
        topics: [{ topic: "t", partitions: [{ partition: 2, offset: "9", metadata: "w" }] }],
      }),
    body: bytes()
      .string("g")
      .int32(4)
      .string("m")
      .int32(1)
      .string("t")
      .int32(1)
      .int32(2)
      .int64(9)
      .string("w"),
    answer: bytes().int32(0).int32(1).string("t").int32(1).int32(2).int16(0),
    result: {},
  },
  {
    name: "offsetFetch",
    key: 9,
    version: 4,
    call: (broker) =>
      broker.offsetFetch({ groupId: "g", topics: [{ topic: "t", partitions: [{ partition: 2 }] }] }),
    body: bytes().string("g").int32(1).string("t").int32(1).int32(2),
    answer: bytes().int32(0).int32(1).string("t").int32(1).int32(2).int64(9).string("w").int16(0).int16(0),
    result: { responses: [{ topic: "t", partitions: [{ partition: 2, offset: "9", metadata: "w" }] }] },
  },
  {
    name: "listOffsets",
    key: 2,
    version: 3,
    call: (broker) =>
      broker.listOffsets({
        isolationLevel: 1,
        topics: [{ topic: "t", partitions: [{ partition: 2, timestamp: -2 }] }],
      }),
    body: bytes().int32(-1).int8(1).int32(1).string("t").int32(1).int32(2).int64(-2),
    answer: bytes().int32(0).int32(1).string("t").int32(1).int32(2).int16(0).int64(-1).int64(9),
    result: { responses: [{ topic: "t", partitions: [{ partition: 2, offset: "9" }] }] },
  },
  {
    name: "initProducerId",
    key: 22,
    version: 1,
    call: (broker) => broker.initProducerId({ transactionTimeout: 60_000 }),
    body: bytes().string(null).int32(60_000),
    answer: bytes().int32(0).int16(0).int64(12).int16(3),
    result: { producerId: "12", producerEpoch: 3 },
  },
  {
    name: "metadata",
    key: 3,
    version: 6,
    call: (broker) => broker.metadata(["t"]),
    // No topic is created by asking for it.
    body: bytes().int32(1).string("t").int8(0),
    answer: bytes()
      .int32(0)
      .int32(1)
      .int32(1)
      .string("h")
      .int32(9092)
      .string(null)
      .string("c")
      .int32(1)
      .int32(1)
      .int16(0)
      .string("t")
      .int8(0)
      .int32(1)
      .int16(0)
      .int32(2)
      .int32(1)
      .int32(1)
      .int32(1)
      .int32(1)
      .int32(1)
      .int32(0),
    result: {
      brokers: [{ nodeId: 1 }],
      topicMetadata: [{ topic: "t", partitionMetadata: [{ partitionId: 2, leader: 1, replicas: [1] }] }],
    },
  },
  {
    name: "createPartitions",
    key: 37,
    version: 1,
    call: (broker) => broker.createPartitions({ topicPartitions: [{ topic: "t", count: 5 }], timeout: 70 }),
    body: bytes().int32(1).string("t").int32(5).int32(-1).int32(70).int8(0),
    answer: bytes().int32(0).int32(1).string("t").int16(0).string(null),
    result: {},
  },
  {
    name: "listGroups",
    key: 16,
    version: 2,
    call: (broker) => broker.listGroups(),
    body: bytes(),
    answer: bytes().int32(0).int16(0).int32(1).string("g").string("consumer"),
    result: { groups: [{ groupId: "g", protocolType: "consumer" }] },
  },
  {
    name: "describeGroups",
    key: 15,
    version: 2,
    call: (broker) => broker.describeGroups({ groupIds: ["g"] }),
    body: bytes().int32(1).string("g"),
    answer: blob(
      blob(
        bytes()
          .int32(0)
          .int32(1)
          .int16(0)
          .string("g")
          .string("Stable")
          .string("consumer")
          .string("p")
          .int32(1)
          .string("m")
          .string("c")
          .string("/h"),
        metadata,
      ),
      assignment,
    ),
    result: {
      groups: [
        {
          errorCode: 0,
          groupId: "g",
          state: "Stable",
          members: [{ memberId: "m", clientId: "c", clientHost: "/h" }],
        },
      ],
    },
  },
  {
    name: "createTopics",
    key: 19,
    version: 3,
    call: (broker) =>
      broker.createTopics({
        topics: [
          { topic: "t", numPartitions: 5, replicationFactor: 3, configEntries: [{ name: "n", value: "v" }] },
        ],
        timeout: 70,
      }),
    body: bytes()
      .int32(1)
      .string("t")
      .int32(5)
      .int16(3)
      .int32(0)
      .int32(1)
      .string("n")
      .string("v")
      .int32(70)
      .int8(0),
    answer: bytes().int32(0).int32(1).string("t").int16(0).string(null),
    result: {},
  },
  {
    name: "describeConfigs",
    key: 32,
    version: 2,
    call: (broker) => broker.describeConfigs({ resources: [{ type: 2, name: "t", configNames: ["n"] }] }),
    body: bytes().int32(1).int8(2).string("t").int32(1).string("n").int8(0),
    answer: bytes()
      .int32(0)
      .int32(1)
      .int16(0)
      .string(null)
      .int8(2)
      .string("t")
      .int32(1)
      .string("n")
      .string("v")
      .int8(0)
      .int8(1)
      .int8(0)
      .int32(0),
    result: { resources: [{ resourceName: "t", configEntries: [{ configName: "n", configValue: "v" }] }] },
  },
];
