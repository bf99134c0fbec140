/** The few requests and answers of Kafka's protocol that the proxy looks into. Each without its length. Pure. */
import type { Address } from "../../src/log/kafka/cluster/addresses.ts";
import { ByteReader, ByteWriter } from "../../src/log/kafka/cluster/bytes.ts";
import { highestVersions } from "./quirks.ts";

export interface RequestHead {
  readonly key: number;
  readonly version: number;
  readonly correlationId: number;
}

export function headOf(frame: Buffer): RequestHead {
  return { key: frame.readInt16BE(0), version: frame.readInt16BE(2), correlationId: frame.readInt32BE(4) };
}

/** Behind the head. */
function bodyOf(frame: Buffer): ByteReader {
  const reader = new ByteReader(frame);
  reader.at = 8;
  reader.string();
  return reader;
}

/** `group/topic/partition` of each offset that it commits. Versions 2 to 7. */
export function committedPartitions(frame: Buffer): string[] {
  const { version } = headOf(frame);
  const body = bodyOf(frame);
  const group = body.string();
  body.int32();
  body.string();
  if (version >= 7) body.string();
  if (version < 5) body.int64();
  return body
    .array(() => {
      const topic = body.string();
      return body.array(() => {
        const partition = body.int32();
        body.int64();
        if (version >= 6) body.int32();
        body.string();
        return `${group}/${topic}/${partition}`;
      });
    })
    .flat();
}

/** The answer to a Produce request of version 3 to 7, with one error for all partitions. */
export function produceRefused(frame: Buffer, errorCode: number): Buffer {
  const { version, correlationId } = headOf(frame);
  const body = bodyOf(frame);
  body.string();
  body.int16();
  body.int32();
  const topics = body.array(() => ({
    name: body.string() ?? "",
    partitions: body.array(() => {
      const partition = body.int32();
      body.raw(Math.max(0, body.int32()));
      return partition;
    }),
  }));
  const answer = new ByteWriter(1024).int32(correlationId).int32(topics.length);
  for (const { name, partitions } of topics) {
    answer.string(name).int32(partitions.length);
    for (const partition of partitions) {
      answer.int32(partition).int16(errorCode).int64(-1).int64(-1);
      if (version >= 5) answer.int64(-1);
    }
  }
  return answer.int32(0).bytes;
}

const invalidRequest = 42;

/** The answer to DescribeConfigs of version 0 to 2: no resource is described. */
export function configsRefused(frame: Buffer): Buffer {
  const { correlationId } = headOf(frame);
  const body = bodyOf(frame);
  const resources = body.array(() => {
    const resource = { type: body.int8(), name: body.string() ?? "" };
    body.array(() => body.string());
    return resource;
  });
  const answer = new ByteWriter(1024).int32(correlationId).int32(0).int32(resources.length);
  for (const { type, name } of resources)
    answer.int16(invalidRequest).string("not supported here").int8(type).string(name).int32(0);
  return answer.bytes;
}

/** ApiVersions, 0 to 2: what is listed, and how far. */
export function cappedVersions(answer: Buffer): Buffer {
  const reader = new ByteReader(answer);
  const [correlationId, errorCode] = [reader.int32(), reader.int16()];
  const listed = reader
    .array(() => ({ key: reader.int16(), lowest: reader.int16(), highest: reader.int16() }))
    .flatMap(({ key, lowest, highest }) => {
      const cap = highestVersions.get(key);
      return cap === undefined ? [] : [{ key, lowest, highest: Math.min(highest, cap) }];
    });
  const rest = reader.raw(reader.left);
  const capped = new ByteWriter(answer.length).int32(correlationId).int16(errorCode).int32(listed.length);
  for (const { key, lowest, highest } of listed) capped.int16(key).int16(lowest).int16(highest);
  return capped.raw(rest).bytes;
}

/** Metadata, 0 to 5: every broker is found at this address. */
export function metadataAt(answer: Buffer, version: number, { host, port }: Address): Buffer {
  const reader = new ByteReader(answer);
  const head = reader.raw(version >= 3 ? 8 : 4);
  const brokers = reader.array(() => {
    const nodeId = reader.int32();
    reader.string();
    reader.int32();
    return { nodeId, rack: version >= 1 ? reader.string() : null };
  });
  const rewritten = new ByteWriter(answer.length + 64).raw(head).int32(brokers.length);
  for (const { nodeId, rack } of brokers) {
    rewritten.int32(nodeId).string(host).int32(port);
    if (version >= 1) rewritten.string(rack);
  }
  return rewritten.raw(reader.raw(reader.left)).bytes;
}

/** FindCoordinator, 0 to 2: it is found at this address. */
export function coordinatorAt(answer: Buffer, version: number, { host, port }: Address): Buffer {
  const reader = new ByteReader(answer);
  const rewritten = new ByteWriter(answer.length + 64).int32(reader.int32());
  if (version >= 1) rewritten.int32(reader.int32());
  const errorCode = reader.int16();
  rewritten.int16(errorCode);
  if (version >= 1) rewritten.string(reader.string());
  rewritten.int32(reader.int32());
  if (errorCode !== 0) return rewritten.raw(reader.raw(reader.left)).bytes;
  return rewritten.string(host).int32(port).bytes;
}
