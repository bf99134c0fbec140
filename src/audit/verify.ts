/**
 * Whether an export is what the topics say: its file against its manifest, the topics against those that it names, and its rows against
 * rows that are made from the topics again, up to the same offsets.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { topicName, topics } from "../domain/topics.ts";
import type { HoldableIndex } from "../index/enrollment-index.ts";
import type { Topic, TopicSurveys } from "../ports.ts";
import { type Difference, differences, entriesOf } from "./compare.ts";
import { exportChunks, noCounts } from "./export.ts";
import { filterOf, type Manifest, rangeIn } from "./manifest.ts";

export interface Verified {
  /** What does not match. If there is any, the export is not what the topics say. */
  readonly findings: readonly string[];
  /** What the topics no longer hold, which may explain differences. */
  readonly notes: readonly string[];
  readonly differences: readonly Difference[];
  /** Of which the first are in `differences`. */
  readonly differenceCount: number;
}

const differencesMax = 20;

/** Offsets up to which the topics are to be read again. */
export function endsOf(manifest: Manifest): Record<Topic, number[]> {
  const of = (topic: Topic) => rangeIn(manifest, topic)?.partitions.map(({ to }) => to) ?? [];
  return { enrolled: of("enrolled"), retry: of("retry"), registered: of("registered"), dlq: of("dlq") };
}

/** Whether there is any use in reading the topics. */
export function checkTopics(manifest: Manifest, found: TopicSurveys): Pick<Verified, "findings" | "notes"> {
  const findings: string[] = [];
  const notes: string[] = [];
  for (const topic of topics) {
    const name = topicName(topic, "");
    const { id, bounds } = found[topic];
    const then = rangeIn(manifest, topic)!;
    if (id !== then.id) findings.push(`${name} is another topic: its id was ${then.id}, and is ${id} now`);
    for (const [partition, { from, to }] of then.partitions.entries()) {
      const { start, end } = bounds[partition] ?? { start: 0, end: 0 };
      const place = `${name}, partition ${partition}`;
      if (end < to) findings.push(`${place} ends at offset ${end}, and was read up to ${to} for the export`);
      else if (start > from && from < to)
        notes.push(
          `${place}: the offsets ${from} to ${Math.min(start, to) - 1} were removed since (retention)`,
        );
    }
  }
  return { findings, notes };
}

/** `index` has read the topics up to `endsOf(manifest)`. Throws what the file system throws. */
export async function compareFile(path: string, manifest: Manifest, index: HoldableIndex): Promise<Verified> {
  const { format } = manifest;
  const findings: string[] = [];
  const bytes = await digestOf(createReadStream(path));
  if (bytes.sha256 !== manifest.sha256 || bytes.count !== manifest.bytes) {
    findings.push(
      `the file is not the one that was exported: ${bytes.count} bytes with SHA-256 ${bytes.sha256}; ` +
        `the manifest says ${manifest.bytes} with ${manifest.sha256}`,
    );
  }
  return index.hold(async () => {
    const counts = noCounts();
    const derived = exportChunks(index, { filter: filterOf(manifest), format }, counts);
    const inFile = entriesOf(createReadStream(path, "utf8"), format);
    const found: Difference[] = [];
    let differenceCount = 0;
    for await (const difference of differences(inFile, entriesOf(derived, format))) {
      if (differenceCount < differencesMax) found.push(difference);
      differenceCount++;
    }
    for (const [name, count] of Object.entries(manifest.counts)) {
      const now = counts[name as keyof typeof counts];
      if (now !== count) findings.push(`${name}: the manifest says ${count}, the topics ${now}`);
    }
    return { findings, notes: [], differences: found, differenceCount };
  });
}

async function digestOf(chunks: AsyncIterable<Buffer>): Promise<{ count: number; sha256: string }> {
  const hash = createHash("sha256");
  let count = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    count += chunk.length;
  }
  return { count, sha256: hash.digest("hex") };
}
