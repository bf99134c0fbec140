/**
 * Kafka's record batch (magic 2), read and written here rather than by kafkajs, because kafkajs keeps headers in an
 * object (their order across names is lost), can't write a header without a value, and does not tell where a batch
 * ends whose last records were compacted away.
 */
import type { Header } from "../../../ports.ts";
import { ByteReader, ByteWriter, varintBytes } from "../cluster/bytes.ts";
import { decompress } from "./compression.ts";
import { crc32c } from "./crc32c.ts";

export interface RawRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
  /** Of its batch. */
  readonly leaderEpoch: number;
}

export interface RecordBody {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

export interface ProducerState {
  readonly id: number;
  readonly epoch: number;
  readonly sequence: number;
}

/** A batch that can't be read; its partition can't be read past it. */
export class BatchError extends Error {
  readonly offset: number;
  /** The first offset behind it, as far as its header can be trusted. */
  readonly nextOffset: number;

  constructor(what: string, offset: number, nextOffset: number) {
    super(what);
    this.offset = offset;
    this.nextOffset = nextOffset;
  }
}

const overheadBytes = 61;
/** Where a batch holds its length and its checksum, and what they are of: each from there to the end. */
const lengthAt = 8;
const lengthCountsFrom = 12;
const magicAt = 16;
const checksumAt = 17;
const checkedFrom = 21;
const lastOffsetAt = 23;
/** As much as the largest answer holds that is not compressed. */
const expandedBytesMax = 16 * 1024 * 1024;

/** Upper bound of a record's size inside a batch. */
export function recordBytes(record: RecordBody): number {
  let bytes = 32 + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const header of record.headers) bytes += 10 + Buffer.byteLength(header[0]) + (header[1]?.length ?? 0);
  return bytes;
}

/** One uncompressed batch; all records get the same time. */
export function encodeBatch(
  records: readonly RecordBody[],
  timestampMs: number,
  producer: ProducerState,
): Buffer {
  const sizes = records.map(bodyBytes);
  const total = sizes.reduce((sum, size) => sum + varintBytes(size) + size, overheadBytes);
  const batch = new ByteWriter(total)
    .int64(0)
    .int32(0)
    .int32(-1)
    .int8(2)
    .uint32(0)
    .int16(0)
    .int32(records.length - 1)
    .int64(timestampMs)
    .int64(timestampMs)
    .int64(producer.id)
    .int16(producer.epoch)
    .int32(producer.sequence)
    .int32(records.length);
  records.forEach((record, index) => {
    batch
      .varint(sizes[index]!)
      .int8(0)
      .varint(0)
      .varint(index)
      .varBytes(record.key)
      .varBytes(record.value)
      .varint(record.headers.length);
    for (const header of record.headers) batch.varString(header[0]).varBytes(header[1]);
  });
  const { bytes } = batch;
  bytes.writeInt32BE(bytes.length - lengthCountsFrom, lengthAt);
  bytes.writeUInt32BE(crc32c(bytes.subarray(checkedFrom)), checksumAt);
  return bytes;
}

/** Exactly what a record takes behind its own length. */
function bodyBytes({ key, value, headers }: RecordBody, index: number): number {
  let bytes = 2 + varintBytes(index) + fieldBytes(key) + fieldBytes(value) + varintBytes(headers.length);
  for (const header of headers) {
    const nameBytes = Buffer.byteLength(header[0]);
    bytes += varintBytes(nameBytes) + nameBytes + fieldBytes(header[1]);
  }
  return bytes;
}

function fieldBytes(value: Uint8Array | null): number {
  return value === null ? 1 : varintBytes(value.length) + value.length;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface DecodedRecords {
  readonly records: readonly RawRecord[];
  /** Where the next fetch starts: after the last whole batch, also when it held no record to hand over. */
  readonly nextOffset: number;
  /** Leader epoch of the last whole batch; -1 where there is none, or it has none. */
  readonly lastEpoch: number;
}

/**
 * The records at or after `fromOffset`, without control records and those of aborted transactions. A batch that is
 * cut short at the end is left for the next fetch; so is one that can't be read, unless it is the first: then a
 * BatchError is thrown. So are those behind batches that expanded very far: few compressed bytes may hold more than fits into memory.
 */
export function decodeBatches(
  bytes: Buffer,
  fromOffset: number,
  aborted: readonly AbortedTransaction[],
): DecodedRecords {
  const pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const aborting = new Set<number>();
  const records: RawRecord[] = [];
  let nextOffset = fromOffset;
  let lastEpoch = -1;
  let expandedBytes = 0;
  for (let at = 0; at + magicAt < bytes.length && expandedBytes < expandedBytesMax; ) {
    // Whatever it says, no batch is so short that reading does not move on.
    const size = Math.max(magicAt + 1, lengthCountsFrom + bytes.readInt32BE(at + lengthAt));
    if (at + size > bytes.length) break;
    const whole = records.length;
    try {
      const batch = readBatch(bytes.subarray(at, at + size));
      while (pending[0] && pending[0].firstOffset <= batch.lastOffset)
        aborting.add(pending.shift()!.producerId);
      if (batch.control) {
        if (batch.abortsTransaction()) aborting.delete(batch.producerId);
      } else if (!(batch.transactional && aborting.has(batch.producerId))) {
        expandedBytes += batch.readRecords(fromOffset, records);
      }
      nextOffset = Math.max(nextOffset, batch.lastOffset + 1);
      lastEpoch = batch.leaderEpoch;
    } catch (error) {
      if (at === 0) throw unreadable(error as Error, bytes.subarray(0, size));
      records.length = whole;
      break;
    }
    at += size;
  }
  return { records, nextOffset, lastEpoch };
}

/** Formats before 2 hold one record, or one that holds others, in the place of a batch. */
function unreadable(error: Error, bytes: Buffer): BatchError {
  const reader = new ByteReader(bytes);
  const offset = reader.int64();
  const isBatch = bytes.length >= overheadBytes && bytes[magicAt] === 2;
  const lastOffset = isBatch ? offset + Math.max(0, bytes.readInt32BE(lastOffsetAt)) : offset;
  return new BatchError(error.message, offset, lastOffset + 1);
}

interface Batch {
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly producerId: number;
  readonly control: boolean;
  readonly transactional: boolean;
  abortsTransaction(): boolean;
  /** Returns how many bytes they take. */
  readRecords(fromOffset: number, into: RawRecord[]): number;
}

function readBatch(bytes: Buffer): Batch {
  const reader = new ByteReader(bytes);
  const baseOffset = reader.int64();
  reader.at = 12;
  const leaderEpoch = reader.int32();
  const magic = reader.int8();
  if (magic !== 2) throw new Error(`it is of record format ${magic}, and only format 2 is read`);
  if (bytes.length < overheadBytes) throw new Error(`it says that it is ${bytes.length} bytes long`);
  const crc = reader.uint32();
  if (crc32c(bytes.subarray(checkedFrom)) !== crc) throw new Error("its checksum is wrong");
  const attributes = reader.int16();
  const lastOffset = baseOffset + reader.int32();
  const baseTimestampMs = reader.int64();
  const maxTimestampMs = reader.int64();
  const producerId = reader.int64();
  reader.at += 6;
  const count = reader.int32();
  const appendTimeMs = attributes & 8 ? maxTimestampMs : null;
  const header = { baseOffset, baseTimestampMs, appendTimeMs, leaderEpoch };
  const open = () => new ByteReader(decompress(attributes & 7, bytes.subarray(reader.at)));
  return {
    lastOffset,
    leaderEpoch,
    producerId,
    control: (attributes & 32) !== 0,
    transactional: (attributes & 16) !== 0,
    abortsTransaction: () => {
      if (count === 0) return false;
      const key = readRecord(open(), header).key;
      return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
    },
    readRecords: (fromOffset, into) => {
      if (count === 0) return 0;
      const body = open();
      for (let index = 0; index < count; index += 1) {
        const record = readRecord(body, header);
        if (record.offset >= fromOffset) into.push(record);
      }
      return body.buffer.length;
    },
  };
}

interface BatchHeader {
  readonly baseOffset: number;
  readonly baseTimestampMs: number;
  /** Null: each record has its own time. */
  readonly appendTimeMs: number | null;
  readonly leaderEpoch: number;
}

function readRecord(
  batch: ByteReader,
  { baseOffset, baseTimestampMs, appendTimeMs, leaderEpoch }: BatchHeader,
): RawRecord {
  const size = batch.varint();
  const end = batch.at + size;
  batch.at += 1;
  const timestampMs = baseTimestampMs + batch.varint();
  const offset = baseOffset + batch.varint();
  const key = batch.varBytes();
  const value = batch.varBytes();
  const headerCount = batch.varint();
  const headers: Header[] = [];
  for (let index = 0; index < headerCount; index += 1)
    headers.push([batch.varString() ?? "", batch.varBytes()]);
  if (batch.at !== end) throw new Error(`the record at offset ${offset} is not as long as its parts`);
  return { offset, timestampMs: appendTimeMs ?? timestampMs, key, value, headers, leaderEpoch };
}
