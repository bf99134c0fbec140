/** What an export was made from, and how it is known again: a file of JSON beside it. */
import Type from "typebox";
import { Compile } from "typebox/compile";
import { decodeUtf8 } from "../domain/json-value.ts";
import { topicName, topics } from "../domain/topics.ts";
import type { Ranges, TopicRange } from "../index/enrollment-index.ts";
import type { Topic } from "../ports.ts";
import type { AuditFilter } from "./rows.ts";

const kind = "connector-registrar audit export";
const formatVersion = 1;
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** As `toISOString` writes it, with six digits of the year before 0 and after 9999. */
const time = Type.Union([
  Type.String({ pattern: "^(\\d{4}|[+-]\\d{6})-\\d\\d-\\d\\dT[\\d:.]+Z$" }),
  Type.Null(),
]);

const manifestSchema = Type.Object({
  kind: Type.Literal(kind),
  /** Of the manifest and of the columns. */
  formatVersion: Type.Literal(formatVersion),
  createdAt: Type.String(),
  createdBy: Type.String(),
  format: Type.Union([Type.Literal("csv"), Type.Literal("jsonl")]),
  filter: Type.Object({
    tenantIds: Type.Union([Type.Array(Type.String()), Type.Null()]),
    /** By when it was registered or refused, or came; `since` inclusive, `until` exclusive. */
    since: time,
    until: time,
  }),
  topics: Type.Array(
    Type.Object({
      name: Type.String(),
      id: Type.Union([Type.String(), Type.Null()]),
      /** Offsets: `from` was read, `to` was not. */
      partitions: Type.Array(Type.Object({ partition: whole, from: whole, to: whole })),
    }),
  ),
  counts: Type.Object({ rows: whole, created: whole, recovered: whole, refused: whole, waiting: whole }),
  bytes: whole,
  sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
});
export type Manifest = Readonly<Type.Static<typeof manifestSchema>>;
export type Format = Manifest["format"];
export type Counts = Manifest["counts"];

const isManifest = Compile(manifestSchema);

export interface Made {
  readonly createdAtMs: number;
  /** Name and version of the program. */
  readonly createdBy: string;
  readonly format: Format;
  readonly filter: AuditFilter;
  readonly ranges: Ranges;
  readonly counts: Counts;
  readonly bytes: number;
  readonly sha256: string;
}

export function manifestOf(made: Made): Manifest {
  const { createdAtMs, createdBy, format, filter, ranges, counts, bytes, sha256 } = made;
  const { tenantIds, sinceMs, untilMs } = filter;
  return {
    kind,
    formatVersion,
    createdAt: new Date(createdAtMs).toISOString(),
    createdBy,
    format,
    filter: { tenantIds: tenantIds && [...tenantIds], since: iso(sinceMs), until: iso(untilMs) },
    topics: topics.map((topic) => ({
      name: topicName(topic, ""),
      id: ranges[topic].id,
      partitions: ranges[topic].partitions.map(({ from, to }, partition) => ({ partition, from, to })),
    })),
    counts,
    bytes,
    sha256,
  };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

export function filterOf({ filter: { tenantIds, since, until } }: Manifest): AuditFilter {
  const ms = (text: string | null) => (text === null ? null : Date.parse(text));
  return { tenantIds, sinceMs: ms(since), untilMs: ms(until) };
}

/** Null: it is none, or one of another version. */
export function readManifest(bytes: Uint8Array): Manifest | null {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes) ?? "");
    if (!isManifest.Check(value) || !isTime(value.filter.since) || !isTime(value.filter.until)) return null;
    return topics.every((topic) => rangeIn(value, topic) !== null) ? value : null;
  } catch {
    return null;
  }
}

function isTime(text: string | null): boolean {
  return text === null || !Number.isNaN(Date.parse(text));
}

/** What the manifest says of one topic. */
export function rangeIn({ topics: listed }: Manifest, topic: Topic): TopicRange | null {
  const found = listed.find(({ name }) => name === topicName(topic, ""));
  const inOrder = found?.partitions.every(({ partition }, at) => partition === at);
  return found !== undefined && inOrder ? found : null;
}
