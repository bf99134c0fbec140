/**
 * A leader is elected that lacks acknowledged records: connector.enrolled gets shorter while the workers run, and grows
 * again with other records at the same offsets. Every worker has to stop with a fault that reports this, and again
 * after a restart. Started with ON_RETENTION_GAP=continue, and with the lost records emitted again, they have to
 * settle everything, once.
 *
 * How: the followers of one broker are cut off from it until they are out of step; the workers settle records that only
 * it has; it is killed, and a follower takes over. By the seed the workers are frozen meanwhile, until the topic has
 * grown past where they were: then only the leader epochs tell that the records are other ones.
 */

import { readBack } from "../../demo/read-back.ts";
import { topicName } from "../../src/domain/topics.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";
import type { Cluster } from "./brokers.ts";
import { allowUncleanElection, leadOnly, readTopicOffsets } from "./cluster-change.ts";
import { type ClusterView, isWhole } from "./cluster-view.ts";
import type { LoggedFault, Stop } from "./crew.ts";
import type { PartitionOffsets } from "./lag.ts";
import type { Course } from "./run-state.ts";
import { until } from "./until.ts";

const topic = topicName("enrolled", "");
/** Records of one partition that the workers settle and Kafka then loses, at the least. */
const lostAtLeast = 2;
/** Emitted beyond what is settled: to put the followers out of step, then for one broker alone, then after the election. */
const surplus = 90;
/** More than comes to a partition between the last look at it and the end of its leader. */
const growBy = 20;
const stopMs = 90_000;

export async function uncleanElection(
  course: Course,
  cluster: Cluster,
  regrown: boolean,
): Promise<string | null> {
  const { crew, emission, signal, say } = course;
  const view = cluster.away() === 0 && crew.away() === 0 ? await cluster.view() : null;
  if (view === null || !isWhole(view)) return null;
  const victim = victimOf(view);
  if (victim === null) return null;
  const release = cluster.hold();
  await until(signal, () => leadOnly(cluster, victim, topic));
  // From now on a broker that is only slow may be taken for gone, and lose records too.
  const stops = crew.expectStops();
  await until(signal, () => allowUncleanElection(cluster.addresses, topic));
  const repair = cluster.links.cutFollowers(victim);
  // Followers that lack nothing are never out of step.
  emission.ahead += surplus;
  let partitions: number[] = [];
  await until(signal, async () => {
    const now = await cluster.view();
    const led = now?.partitions.filter((one) => one.topic === topic && one.leader === victim) ?? [];
    partitions = led.map(({ partition }) => partition);
    return stops.seen.length > 0 || (led.length > 0 && led.every(({ inSync }) => inSync.length === 1));
  });
  say(`broker ${victim} alone holds what comes to ${topic}/${partitions.join(", ")}`);
  const before = await offsetsOf(course, cluster, partitions);
  emission.ahead += surplus;
  await until(signal, async () => {
    const now = await offsetsOf(course, cluster, partitions);
    return stops.seen.length > 0 || now.some((one) => one.committed >= highOf(before, one) + lostAtLeast);
  });
  const last = await offsetsOf(course, cluster, partitions);
  if (signal.aborted) return null;
  const goOn = regrown ? crew.freezeAll() : () => {};
  await cluster.broker(victim).kill();
  repair();
  await until(signal, async () => {
    const now = await cluster.view();
    const found = now?.partitions.filter((one) => one.topic === topic && partitions.includes(one.partition));
    return found?.every(({ leader }) => leader >= 0 && leader !== victim) ?? false;
  });
  const after = await offsetsOf(course, cluster, partitions);
  const shorter = after.filter((one) => one.high < committedOf(last, one));
  for (const one of shorter)
    say(`${topic}/${one.partition} ends at ${one.high}, settled were ${committedOf(last, one)}`);
  if (shorter.length + stops.seen.length === 0)
    course.problems.push("the unclean election took nothing that was settled");
  emission.ahead += surplus;
  const past = last.filter(({ partition }) => shorter.some((one) => one.partition === partition));
  if (regrown) await growPast(course, cluster, past);
  goOn();
  await cluster.broker(victim).start();
  const enough = AbortSignal.any([signal, AbortSignal.timeout(stopMs)]);
  await until(enough, async () => stops.running() === 0);
  course.problems.push(...stopProblems(stops.seen, stops.running()));
  if (signal.aborted) return null;
  const again = await emitLost(course);
  course.worker.continueOverGaps = true;
  await stops.readmit();
  release();
  return (
    `an unclean election took records of ${shorter.length} partitions; workers stopped ${stops.seen.length} times; ` +
    `${again} records that Kafka lost were emitted again; all may continue`
  );
}

/**
 * Emits records once more until each of these partitions is longer than it was in the `past`: where the workers were, other
 * records stand now.
 */
async function growPast(course: Course, cluster: Cluster, past: readonly PartitionOffsets[]): Promise<void> {
  const { plan, log, emission, signal, say } = course;
  for (const { partition, high } of past) {
    const again = plan.records
      .slice(0, emission.done)
      .filter((record) => record.partition === partition)
      .slice(0, growBy);
    await until(signal, async () => {
      if (!(await log.append(again)).ok) return false;
      const now = await offsetsOf(course, cluster, [partition]);
      return now.every((one) => one.high > high + growBy);
    });
    say(`${topic}/${partition} is longer than it was`);
  }
}

/** Each has to stop because the input lost its end, and once more when it was started again. */
export function stopProblems(seen: readonly Stop[], running: number): string[] {
  const problems = seen
    .filter(({ how, fault }) => how !== "exit code 1" || fault === null || !saysSo(fault))
    .map(({ worker, how, fault }) => {
      const why = fault === null ? "none" : `${fault.code} (${fault.message})`;
      return `worker-${worker + 1} ended by ${how}, fault ${why}, after an unclean election`;
    });
  if (running > 0)
    problems.push(`${running} workers went on after an unclean election took records from them`);
  return problems;
}

/** The input's end is gone, or other records stand there. Nothing else is lost by what was done to the brokers. */
function saysSo({ code, message }: LoggedFault): boolean {
  return code === "retention-gap" && endIsGone.test(message);
}
const endIsGone =
  /^enrolled partition \d+: .*(?:beyond the log's end|lost when another replica became leader)/;

/** A broker that leads as many partitions of the topic as any, and doesn't coordinate the group. */
export function victimOf(view: ClusterView): number | null {
  const led = Map.groupBy(
    view.partitions.filter((one) => one.topic === topic && one.leader !== view.coordinator),
    ({ leader }) => leader,
  );
  const [best] = [...led].sort(([a, some], [b, others]) => others.length - some.length || a - b);
  return best?.[0] ?? null;
}

/** Of these partitions of the topic; asked again until all are known. */
async function offsetsOf(
  { signal }: Course,
  cluster: Cluster,
  partitions: readonly number[],
): Promise<PartitionOffsets[]> {
  let found: PartitionOffsets[] = [];
  await until(signal, async () => {
    const all = (await readTopicOffsets(cluster.addresses, topic)) ?? [];
    found = all.filter(({ partition }) => partitions.includes(partition));
    return found.length === partitions.length;
  });
  return found;
}

const highOf = (all: readonly PartitionOffsets[], { partition }: PartitionOffsets) =>
  all.find((one) => one.partition === partition)?.high ?? 0;
const committedOf = (all: readonly PartitionOffsets[], { partition }: PartitionOffsets) =>
  all.find((one) => one.partition === partition)?.committed ?? 0;

/**
 * Emits once more what was confirmed and does not stand where it is worked on: a record that its producer put elsewhere
 * may have been moved to its tenant's partition, and lost there.
 */
async function emitLost({ plan, log, emission, signal, say }: Course): Promise<number> {
  const emitted = plan.records.slice(0, emission.done);
  let stored: readonly LogRecord[] = [];
  await until(signal, async () => {
    const read = await readBack(log, "enrolled");
    if (read.ok) stored = read.records;
    else say(`reading ${topic} again: ${read.reason}`);
    return read.ok;
  });
  const there = new Set(stored.map(placeOf));
  const home = (record: NewRecord) => plan.homes.get(record) ?? record.partition;
  const lost = emitted.filter((record) => !there.has(placeOf({ ...record, partition: home(record) })));
  await until(signal, async () => lost.length === 0 || (await log.append(lost)).ok);
  return lost.length;
}

function placeOf({ partition, value }: NewRecord | LogRecord): string {
  return `${partition} ${Buffer.from(value ?? []).toString("base64")}`;
}
