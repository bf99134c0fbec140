/**
 * Fetch: v4 to v13. From v12 on it says which record came before, so that the broker finds out whether its log is the
 * one that was read (KIP-320, KIP-595); v13 names topics by id, so that no other topic of that name is read.
 */
import type { ByteReader, ByteWriter } from "../cluster/bytes.ts";
import { AnswerError } from "../cluster/errors.ts";
import {
  type Api,
  type ApiVersions,
  arrayOf,
  type ProtocolRequest,
  protocolRequest,
  readTopics,
  versionOf,
  writeTopics,
} from "../cluster/protocol.ts";
import type { AbortedTransaction } from "./record-batch.ts";

const fetchKey = 1;
const firstFlexible = 12;
const firstWithIds = 13;

export interface FetchPart {
  readonly topic: string;
  /** Null: not known. */
  readonly topicId: string | null;
  readonly partition: number;
  readonly offset: number;
  /** Of the leader that is asked, by the metadata; -1: not known. */
  readonly leaderEpoch: number;
  /** Under which the record before `offset` was written; -1: not known. */
  readonly lastEpoch: number;
  /** A larger batch is still returned whole, if it is the first. */
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
  /** The log holds other records before the offset that was asked for than those that the last epoch stands for. */
  readonly diverges: boolean;
  /** Record batches, the last one perhaps cut short. */
  readonly bytes: Buffer;
}

/** Reads committed records only. The broker may answer with fewer partitions than were asked for. */
export function fetchRequest(
  versions: ApiVersions,
  parts: readonly FetchPart[],
  limits: FetchLimits,
): ProtocolRequest<Fetched[]> {
  const highest = parts.every((part) => part.topicId !== null) ? firstWithIds : firstFlexible;
  const version = versionOf(versions, fetchKey, { lowest: 4, highest });
  const flexible = version >= firstFlexible;
  const byId = version >= firstWithIds;
  const api = { key: fetchKey, name: "Fetch", version, flexible };
  return protocolRequest(api, {
    write(body) {
      body.int32(-1).int32(limits.maxWaitMs).int32(1).int32(limits.maxBytes).int8(1);
      // No fetch session.
      if (version >= 7) body.int32(0).int32(-1);
      writeTopics(body, parts, { flexible, byId, write: (part) => writePart(body, part, version) });
      // No topics to forget, and no rack.
      if (flexible) body.uvarint(1).compactString("");
      else if (version >= 7) body.int32(0);
      if (version === 11) body.string("");
    },
    read(reader) {
      reader.at += 4;
      const errorCode = version >= 7 ? reader.int16() : 0;
      if (errorCode !== 0) throw new AnswerError(errorCode, "a fetch was refused");
      if (version >= 7) reader.at += 4;
      return readTopics(reader, parts, { flexible, byId, read: (topic) => readFetched(reader, topic, api) });
    },
  });
}

function writePart(body: ByteWriter, part: FetchPart, version: number): void {
  body.int32(part.partition);
  if (version >= 9) body.int32(part.leaderEpoch);
  body.int64(part.offset);
  if (version >= 12) body.int32(part.lastEpoch);
  if (version >= 5) body.int64(-1);
  body.int32(part.maxBytes);
}

function readFetched(reader: ByteReader, topic: string, { version, flexible }: Api): Fetched {
  const partition = reader.int32();
  const errorCode = reader.int16();
  // The high watermark.
  reader.at += 8;
  const stableEnd = reader.int64();
  if (version >= 5) reader.at += 8;
  const aborted = arrayOf(reader, flexible, () => {
    const transaction = { producerId: reader.int64(), firstOffset: reader.int64() };
    if (flexible) reader.tags();
    return transaction;
  });
  if (version >= 11) reader.at += 4;
  const size = flexible ? reader.uvarint() - 1 : reader.int32();
  const bytes = reader.raw(Math.max(0, size));
  let diverges = false;
  if (flexible)
    reader.tags((tag) => {
      diverges ||= tag === divergingEpochTag;
    });
  return { topic, partition, errorCode, stableEnd, aborted, diverges, bytes };
}

const divergingEpochTag = 0;
