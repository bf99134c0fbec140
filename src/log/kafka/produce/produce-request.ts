/** Produce: v3 to v7, and v13, which names topics by id, so that nothing is appended to another topic of that name. */
import type { ByteReader } from "../cluster/bytes.ts";
import {
  type ApiVersions,
  arrayOf,
  type ProtocolRequest,
  protocolRequest,
  readTopics,
  versionOf,
  writeTopics,
} from "../cluster/protocol.ts";

const produceKey = 0;
const firstWithIds = 13;

export interface ProducePart {
  readonly topic: string;
  /** Null: not known. */
  readonly topicId: string | null;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface ProduceAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Of the batch's first record; -1: the broker does not say. */
  readonly baseOffset: number;
}

export function takesTopicIds(versions: ApiVersions): boolean {
  return (versions[produceKey]?.maxVersion ?? 0) >= firstWithIds;
}

/** At most one batch a partition; acknowledged by all in-sync replicas. */
export function produceRequest(
  versions: ApiVersions,
  parts: readonly ProducePart[],
  timeoutMs: number,
): ProtocolRequest<ProduceAnswer[]> {
  const byId = takesTopicIds(versions) && parts.every((part) => part.topicId !== null);
  const version = byId ? firstWithIds : versionOf(versions, produceKey, { lowest: 3, highest: 7 });
  const api = { key: produceKey, name: "Produce", version, flexible: byId };
  const form = { flexible: byId, byId };
  return protocolRequest(api, {
    write(body) {
      if (byId) body.compactString(null);
      else body.string(null);
      body.int16(-1).int32(timeoutMs);
      const write = ({ partition, batch }: ProducePart) => {
        body.int32(partition);
        if (byId) body.uvarint(batch.length + 1);
        else body.int32(batch.length);
        body.raw(batch);
      };
      writeTopics(body, parts, { ...form, write });
    },
    read: (reader) =>
      readTopics(reader, parts, { ...form, read: (topic) => readAnswer(reader, topic, version) }),
    sizeHint: parts.reduce((sum, part) => sum + part.batch.length + 64, 64),
  });
}

function readAnswer(reader: ByteReader, topic: string, version: number): ProduceAnswer {
  const [partition, errorCode] = [reader.int32(), reader.int16()];
  const answer = { topic, partition, errorCode, baseOffset: reader.int64() };
  // Time of the append and, from v5 on, the log's start.
  reader.at += version >= 5 ? 16 : 8;
  if (version >= firstWithIds) {
    arrayOf(reader, true, () => {
      reader.int32();
      reader.compactString();
      reader.tags();
    });
    reader.compactString();
    reader.tags();
  }
  return answer;
}
