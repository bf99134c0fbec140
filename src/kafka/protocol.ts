/** The two requests that carry records, Produce (v3 to v7) and Fetch (v4 to v11), as kafkajs's connections send them. */
import { ByteReader, ByteWriter } from "./bytes.ts";
import type { AbortedTransaction } from "./record-batch.ts";

/** What a kafkajs connection needs to send a request and to read the answer. */
export interface ProtocolRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ buf: Buffer; buffer: Buffer }>;
  };
  readonly response: { decode(bytes: Buffer): Promise<T>; parse(answer: T): Promise<T> };
  readonly requestTimeout?: number;
}

export type ApiVersions = Readonly<Record<number, { minVersion: number; maxVersion: number } | undefined>>;

const produceKey = 0;
const fetchKey = 1;

function versionOf(versions: ApiVersions, key: number, lowest: number, highest: number): number {
  return Math.max(lowest, Math.min(highest, versions[key]?.maxVersion ?? lowest));
}

function protocolRequest<T>(
  apiKey: number,
  apiVersion: number,
  apiName: string,
  body: ByteWriter,
  read: (reader: ByteReader) => T,
): ProtocolRequest<T> {
  return {
    request: { apiKey, apiVersion, apiName, encode: async () => ({ buf: body.bytes, buffer: body.bytes }) },
    response: {
      decode: async (bytes) => read(new ByteReader(bytes)),
      parse: async (answer) => answer,
    },
  };
}

/** Groups by topic, as requests do. */
function byTopic<T extends { topic: string }>(items: readonly T[]): [string, T[]][] {
  return [...Map.groupBy(items, (item) => item.topic)];
}

function writeTopics<T extends { topic: string }>(
  body: ByteWriter,
  items: readonly T[],
  write: (item: T) => void,
): void {
  const topics = byTopic(items);
  body.int32(topics.length);
  for (const [topic, partitions] of topics) {
    body.string(topic).int32(partitions.length);
    for (const item of partitions) write(item);
  }
}

export interface ProducePart {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface ProduceAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
}

/** At most one batch a partition; acknowledged by all in-sync replicas. */
export function produceRequest(
  versions: ApiVersions,
  parts: readonly ProducePart[],
  timeoutMs: number,
): ProtocolRequest<ProduceAnswer[]> {
  const version = versionOf(versions, produceKey, 3, 7);
  const size = parts.reduce((sum, part) => sum + part.batch.length + 64, 64);
  const body = new ByteWriter(size).string(null).int16(-1).int32(timeoutMs);
  writeTopics(body, parts, (part) => body.int32(part.partition).int32(part.batch.length).raw(part.batch));
  return protocolRequest(produceKey, version, "Produce", body, (reader) =>
    reader
      .array(() => {
        const topic = reader.string() ?? "";
        return reader.array(() => {
          const answer = { topic, partition: reader.int32(), errorCode: reader.int16() };
          reader.at += version >= 5 ? 24 : 16;
          return answer;
        });
      })
      .flat(),
  );
}

export interface FetchPart {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** A larger batch comes whole all the same, if it is the first. */
  readonly maxBytes: number;
}

export interface FetchLimits {
  readonly maxWaitMs: number;
  /** Of the answer. */
  readonly maxBytes: number;
}

export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** End of what this client may see: open transactions and unreplicated records lie beyond. */
  readonly stableEnd: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last one perhaps cut short. */
  readonly bytes: Buffer;
}

/** Reads committed records only. The broker may answer with fewer partitions than were asked for. */
export function fetchRequest(
  versions: ApiVersions,
  parts: readonly FetchPart[],
  limits: FetchLimits,
): ProtocolRequest<Fetched[]> {
  const version = versionOf(versions, fetchKey, 4, 11);
  const body = new ByteWriter(1024).int32(-1).int32(limits.maxWaitMs).int32(1).int32(limits.maxBytes).int8(1);
  if (version >= 7) body.int32(0).int32(-1);
  writeTopics(body, parts, (part) => {
    body.int32(part.partition);
    if (version >= 9) body.int32(-1);
    body.int64(part.offset);
    if (version >= 5) body.int64(-1);
    body.int32(part.maxBytes);
  });
  if (version >= 7) body.int32(0);
  if (version >= 11) body.string("");
  return protocolRequest(fetchKey, version, "Fetch", body, (reader) => {
    reader.at += version >= 7 ? 10 : 4;
    return reader
      .array(() => {
        const topic = reader.string() ?? "";
        return reader.array(() => readFetched(reader, topic, version));
      })
      .flat();
  });
}

function readFetched(reader: ByteReader, topic: string, version: number): Fetched {
  const partition = reader.int32();
  const errorCode = reader.int16();
  reader.at += 8;
  const stableEnd = reader.int64();
  if (version >= 5) reader.at += 8;
  const aborted = reader.array(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }));
  if (version >= 11) reader.at += 4;
  const size = reader.int32();
  return { topic, partition, errorCode, stableEnd, aborted, bytes: reader.raw(Math.max(0, size)) };
}
