/**
 * Metadata, v4 to v12: asked for by this adapter itself, since kafkajs's versions know neither topic ids (v10) nor leader
 * epochs (v7), and fail as a whole where one topic is missing.
 */
import type { ByteReader } from "./bytes.ts";
import {
  type Api,
  type ApiVersions,
  arrayOf,
  type ProtocolRequest,
  protocolRequest,
  versionOf,
} from "./protocol.ts";

const metadataKey = 3;
const firstFlexible = 9;
const firstWithIds = 10;

export interface PartitionMetadata {
  readonly partitionId: number;
  /** -1: none at present. */
  readonly leader: number;
  /** -1: not known. */
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly topic: string;
  readonly errorCode: number;
  /** Null: the broker is too old for ids. */
  readonly id: string | null;
  readonly partitionMetadata: readonly PartitionMetadata[];
  /** One bit for each operation that this client may do; not set unless asked for, negative where the broker doesn't tell. */
  readonly operations?: number;
}

/** In kafkajs's form, so that its cluster takes it. */
export interface Metadata {
  readonly brokers: readonly { nodeId: number; host: string; port: number; rack: string | null }[];
  readonly controllerId: number;
  readonly topicMetadata: readonly TopicMetadata[];
}

/** `withRights`: what this client may do with each topic is asked for too, of brokers that speak v8. */
export function metadataRequest(
  versions: ApiVersions,
  topics: readonly string[],
  { withRights = false }: { readonly withRights?: boolean } = {},
): ProtocolRequest<Metadata> {
  const version = versionOf(versions, metadataKey, { lowest: 4, highest: 12 });
  const flexible = version >= firstFlexible;
  const api = { key: metadataKey, name: "Metadata", version, flexible };
  return protocolRequest(api, {
    write(body) {
      if (flexible) body.uvarint(topics.length + 1);
      else body.int32(topics.length);
      for (const topic of topics) {
        if (version >= firstWithIds) body.int32(0).int32(0).int32(0).int32(0);
        if (flexible) body.compactString(topic).uvarint(0);
        else body.string(topic);
      }
      // No topic is created, and no rights on the cluster are asked for.
      body.int8(0);
      if (version >= 8 && version <= 10) body.int8(0);
      if (version >= 8) body.int8(withRights ? 1 : 0);
    },
    read: (reader) => readMetadata(reader, api, withRights),
  });
}

function readMetadata(reader: ByteReader, { version, flexible }: Api, withRights: boolean): Metadata {
  const text = () => (flexible ? reader.compactString() : reader.string());
  reader.at += 4;
  const brokers = arrayOf(reader, flexible, () => {
    const broker = { nodeId: reader.int32(), host: text() ?? "", port: reader.int32(), rack: text() };
    if (flexible) reader.tags();
    return broker;
  });
  text();
  const controllerId = reader.int32();
  const topicMetadata = arrayOf(reader, flexible, () => {
    const errorCode = reader.int16();
    const topic = text() ?? "";
    const id = version >= firstWithIds ? reader.uuid() : null;
    reader.at += 1;
    const partitionMetadata = arrayOf(reader, flexible, () => readPartition(reader, version, flexible));
    const operations = version >= 8 ? reader.int32() : 0;
    if (flexible) reader.tags();
    return { topic, errorCode, id, partitionMetadata, ...(withRights ? { operations } : {}) };
  });
  return { brokers, controllerId, topicMetadata };
}

function readPartition(reader: ByteReader, version: number, flexible: boolean): PartitionMetadata {
  reader.at += 2;
  const partitionId = reader.int32();
  const leader = reader.int32();
  const leaderEpoch = version >= 7 ? reader.int32() : -1;
  // Replicas, those in sync, and those offline.
  const lists = version >= 5 ? 3 : 2;
  for (let list = 0; list < lists; list += 1) arrayOf(reader, flexible, () => reader.int32());
  if (flexible) reader.tags();
  return { partitionId, leader, leaderEpoch };
}
