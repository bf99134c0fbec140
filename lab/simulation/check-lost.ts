/** What the log itself lost, by retention or by harm, and whether a worker said so where one could tell. */
import type { LogRecord, Topic } from "../../src/ports.ts";
import type { Run } from "./check-run.ts";
import type { Entry } from "./history.ts";
import { namesTopic } from "./operator.ts";

export type Lost = ReadonlySet<LogRecord>;
type LogLost = Extract<Entry, { kind: "log-lost" }>;

export function findLost(entries: readonly Entry[]): Lost {
  const lost = new Set<LogRecord>();
  if (!entries.some(({ kind }) => kind === "truncated" || kind === "log-lost")) return lost;
  let held: LogRecord[] = [];
  const lose = (isGone: (record: LogRecord) => boolean): void => {
    for (const record of held) if (isGone(record)) lost.add(record);
    held = held.filter((record) => !isGone(record));
  };
  for (const entry of entries) {
    if (entry.kind === "stored") held.push(entry.record);
    else if (entry.kind === "truncated")
      lose((record) => isOf(entry.topic, entry.partition, record) && record.offset < entry.start);
    else if (entry.kind === "log-lost")
      lose((record) => isOf(entry.topic, entry.partition, record) && record.offset >= entry.end);
  }
  return lost;
}

/** `partition` null: all of the topic. */
function isOf(topic: Topic, partition: number | null, record: LogRecord): boolean {
  return record.topic === topic && (partition === null || record.partition === partition);
}

/** Where a worker could tell that the log lost something, one must have stopped, with a fault that names the topic. */
export function checkTold({ entries, isSettled }: Run): string[] {
  if (!isSettled) return [];
  return entries
    .filter((entry): entry is LogLost => entry.kind === "log-lost" && entry.mustBeTold)
    .filter((harm) => !entries.some((entry) => tells(entry, harm.topic) && entry.tMs >= harm.tMs))
    .map(({ topic, partition }) => {
      const what =
        partition === null ? `${topic} was made again` : `the end of ${topic}/${partition} was lost`;
      return `${what}, and no worker said so`;
    });
}

/** A worker stops with a fault that names the topic, or reports that it continues because it is allowed to. */
export function tells(entry: Entry, topic: Topic): boolean {
  if (entry.kind === "worker" && entry.event.kind === "gap-passed") return entry.event.topic === topic;
  return (
    entry.kind === "exit" && entry.how === "fault" && namesTopic(entry.text) && entry.text.includes(topic)
  );
}
