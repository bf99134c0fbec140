/** What the requests that this adapter encodes itself have in common. */
import { ByteReader, ByteWriter } from "./bytes.ts";

/** A request without its header, and how to read the answer. */
export interface ProtocolRequest<T> {
  readonly api: Api;
  readonly body: Buffer;
  read(answer: Buffer): T;
  /** How long the answer may take, where that is longer than the connection's requests may. */
  readonly timeoutMs?: number;
}

export type ApiVersions = Readonly<Record<number, { minVersion: number; maxVersion: number } | undefined>>;

/** The highest version that both sides speak, at least `lowest`. */
export function versionOf(
  versions: ApiVersions,
  key: number,
  { lowest, highest }: { readonly lowest: number; readonly highest: number },
): number {
  return Math.max(lowest, Math.min(highest, versions[key]?.maxVersion ?? lowest));
}

export interface Api {
  readonly key: number;
  readonly name: string;
  readonly version: number;
  /**
   * Compact lengths, and optional fields at the end of each structure, the headers of request and answer included.
   * kafkajs writes and reads headers without them, so they stand at the beginning of what it takes for the body.
   */
  readonly flexible: boolean;
}

interface Codec<T> {
  readonly write: (body: ByteWriter) => void;
  readonly read: (reader: ByteReader) => T;
  readonly sizeHint?: number;
}

export function protocolRequest<T>(api: Api, { write, read, sizeHint = 1024 }: Codec<T>): ProtocolRequest<T> {
  const { flexible } = api;
  const body = new ByteWriter(sizeHint);
  if (flexible) body.uvarint(0);
  write(body);
  if (flexible) body.uvarint(0);
  return {
    api,
    body: body.bytes,
    read(answer) {
      const reader = new ByteReader(answer);
      if (flexible) reader.tags();
      return read(reader);
    },
  };
}

/** `byId`: topics are named by their ids. */
export interface TopicForm {
  readonly flexible: boolean;
  readonly byId: boolean;
}

/** Partitions of one topic together, as requests name them. */
export function writeTopics<T extends { topic: string; topicId: string | null }>(
  body: ByteWriter,
  items: readonly T[],
  { flexible, byId, write }: TopicForm & { readonly write: (item: T) => void },
): void {
  const topics = [...Map.groupBy(items, (item) => item.topic)];
  writeCount(body, topics.length, flexible);
  for (const [topic, ofTopic] of topics) {
    if (byId) body.uuid(ofTopic[0]!.topicId!);
    else if (flexible) body.compactString(topic);
    else body.string(topic);
    writeCount(body, ofTopic.length, flexible);
    for (const item of ofTopic) {
      write(item);
      if (flexible) body.uvarint(0);
    }
    if (flexible) body.uvarint(0);
  }
}

/** The answer to `writeTopics`. `topic`: as the request named it. */
export function readTopics<T extends { topic: string; topicId: string | null }, A>(
  reader: ByteReader,
  asked: readonly T[],
  { flexible, byId, read }: TopicForm & { readonly read: (topic: string) => A },
): A[] {
  const names = new Map(asked.map(({ topic, topicId }) => [topicId, topic]));
  return arrayOf(reader, flexible, () => {
    const topic = byId ? names.get(reader.uuid()) : flexible ? reader.compactString() : reader.string();
    const answers = arrayOf(reader, flexible, () => read(topic ?? ""));
    if (flexible) reader.tags();
    return answers;
  }).flat();
}

export function arrayOf<T>(reader: ByteReader, flexible: boolean, read: () => T): T[] {
  return flexible ? reader.compactArray(read) : reader.array(read);
}

function writeCount(body: ByteWriter, count: number, flexible: boolean): void {
  if (flexible) body.uvarint(count + 1);
  else body.int32(count);
}
