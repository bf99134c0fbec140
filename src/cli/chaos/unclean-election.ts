/**
 * A leader is elected that lacks records which others were told to be stored: connector.enrolled gets shorter under the
 * workers, and grows again with other records at the same offsets. Every worker has to stop with a fault that says so,
 * and again when it is started again. Told to go on, and with what Kafka lost emitted again, they have to settle
 * everything, once.
 *
 * How: the followers of one broker are cut off from it until they are out of step; the workers settle records that only
 * it has; it is killed, and a follower takes over.
 */
import { systemClock as clock } from "../../clock.ts";
import { topicName } from "../../domain/topics.ts";
import type { LogRecord, NewRecord } from "../../ports.ts";
import { readBack } from "../demo/read-back.ts";
import { pause } from "../pause.ts";
import { openAdmin } from "./admin.ts";
import type { Cluster } from "./brokers.ts";
import { type ClusterView, isWhole } from "./cluster-view.ts";
import type { Course } from "./course.ts";
import type { Stop } from "./crew.ts";
import { groupId } from "./environment.ts";
import { type PartitionOffsets, readOffsets } from "./lag.ts";

/** Faults by which a worker says that a topic is not the one that it knew. */
export const truncationFaults: readonly string[] = ["retention-gap", "log-truncated"];

const topic = topicName("enrolled", "");
const topicResource = 2;
const pollMs = 300;
/** Records of one partition that the workers settle and Kafka then loses, at the least. */
const lostAtLeast = 3;
/** Emitted beyond what is settled once the followers are out of step, and once more after the election. */
const surplus = 120;
const stopMs = 90_000;

export async function uncleanElection(
  course: Course,
  cluster: Cluster,
  emitFirst: boolean,
): Promise<string | null> {
  const { crew, emission, signal, say } = course;
  const view = cluster.away() === 0 && crew.away() === 0 ? await cluster.view() : null;
  if (view === null || !isWhole(view)) return null;
  const victim = victimOf(view);
  if (victim === null) return null;
  await allowUncleanElection(cluster.addresses);
  const release = cluster.hold();
  const heal = cluster.links.cutFollowers(victim);
  const led = (one: { topic: string; partition: number; leader: number }) =>
    one.topic === topic && one.leader === victim;
  await until(signal, async () => {
    const now = await cluster.view();
    return now !== null && now.partitions.filter(led).every(({ inSync }) => inSync.length === 1);
  });
  const partitions = view.partitions.filter(led).map(({ partition }) => partition);
  say(`broker ${victim} alone holds what comes to ${topic}/${partitions.join(", ")}`);
  const before = await offsetsOf(course, cluster, partitions);
  emission.ahead += surplus;
  await until(signal, async () => {
    const now = await offsetsOf(course, cluster, partitions);
    return now.some((one) => one.committed >= highOf(before, one) + lostAtLeast);
  });
  const last = await offsetsOf(course, cluster, partitions);
  const stops = crew.expectStops();
  await cluster.broker(victim).kill();
  heal();
  await until(signal, async () => {
    const now = await cluster.view();
    const found = now?.partitions.filter((one) => one.topic === topic && partitions.includes(one.partition));
    return found?.every(({ leader }) => leader >= 0 && leader !== victim) ?? false;
  });
  const after = await offsetsOf(course, cluster, partitions);
  const shorter = after.filter((one) => one.high < committedOf(last, one));
  for (const one of shorter)
    say(`${topic}/${one.partition} ends at ${one.high}, settled were ${committedOf(last, one)}`);
  if (shorter.length === 0) course.problems.push("the unclean election took nothing that was settled");
  // At once, so that the workers find other records where they were; or once they had time to look.
  if (emitFirst) emission.ahead += surplus;
  await cluster.broker(victim).start();
  emission.ahead += emitFirst ? 0 : surplus;
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
    `${again} records that Kafka lost were emitted again; all told to go on`
  );
}

/** Each has to stop by a fault of the right name, and once more when it was started again. */
export function stopProblems(seen: readonly Stop[], running: number): string[] {
  const problems = seen
    .filter(({ how, fault }) => !/^exit code [12]$/.test(how) || !truncationFaults.includes(fault ?? ""))
    .map(
      ({ worker, how, fault }) =>
        `worker-${worker + 1} ended by ${how}, fault ${fault ?? "none"}, after an unclean election`,
    );
  if (running > 0)
    problems.push(`${running} workers went on after an unclean election took records from them`);
  return problems;
}

/** A broker that leads partitions of the topic, doesn't coordinate the group, and leads as few outputs of those as possible. */
export function victimOf(view: ClusterView): number | null {
  const registered = topicName("registered", "");
  const leaderOf = (name: string, partition: number) =>
    view.partitions.find((one) => one.topic === name && one.partition === partition)?.leader;
  const useful = (id: number) =>
    view.partitions.filter(
      (one) => one.topic === topic && one.leader === id && leaderOf(registered, one.partition) !== id,
    ).length;
  const ids = new Set(view.partitions.map(({ leader }) => leader));
  ids.delete(view.coordinator);
  const [best] = [...ids].sort((a, b) => useful(b) - useful(a) || a - b);
  return best === undefined || useful(best) === 0 ? null : best;
}

async function allowUncleanElection(addresses: readonly string[]): Promise<void> {
  const admin = await openAdmin(addresses, `${groupId}-alter`);
  try {
    await admin.connect();
    const configEntries = [
      { name: "min.insync.replicas", value: "1" },
      { name: "unclean.leader.election.enable", value: "true" },
    ];
    const resources = [{ type: topicResource, name: topic, configEntries }];
    await admin.alterConfigs({ validateOnly: false, resources });
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/** Of these partitions of the topic; asked again until they are all told. */
async function offsetsOf(
  { signal }: Course,
  cluster: Cluster,
  partitions: readonly number[],
): Promise<PartitionOffsets[]> {
  let found: PartitionOffsets[] = [];
  await until(signal, async () => {
    const admin = await openAdmin(cluster.addresses, `${groupId}-offsets`);
    try {
      await admin.connect();
      found = (await readOffsets(admin, groupId, [topic])).filter(({ partition }) =>
        partitions.includes(partition),
      );
      return found.length === partitions.length;
    } catch {
      return false;
    } finally {
      await admin.disconnect().catch(() => {});
    }
  });
  return found;
}

const highOf = (all: readonly PartitionOffsets[], { partition }: PartitionOffsets) =>
  all.find((one) => one.partition === partition)?.high ?? 0;
const committedOf = (all: readonly PartitionOffsets[], { partition }: PartitionOffsets) =>
  all.find((one) => one.partition === partition)?.committed ?? 0;

/** Emits once more what was confirmed and is no longer there. */
async function emitLost({ plan, log, emission, signal, say }: Course): Promise<number> {
  const emitted = plan.records.slice(0, emission.done);
  let stored: readonly LogRecord[] = [];
  await until(signal, async () => {
    const read = await readBack(log, "enrolled");
    if (read.ok) stored = read.records;
    else say(`reading ${topic} again: ${read.reason}`);
    return read.ok;
  });
  const there = new Set(stored.map(base64Of));
  const lost = emitted.filter((record) => !there.has(base64Of(record)));
  await until(signal, async () => lost.length === 0 || (await log.append(lost)).ok);
  return lost.length;
}

function base64Of({ value }: NewRecord | LogRecord): string {
  return Buffer.from(value ?? []).toString("base64");
}

async function until(signal: AbortSignal, isTrue: () => Promise<boolean>): Promise<void> {
  while (!signal.aborted && !(await isTrue())) await pause(clock, pollMs, signal);
}
