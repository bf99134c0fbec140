import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import {
  busiestLeader,
  groupPartition,
  isWhole,
  type PartitionView,
  viewOf,
} from "../../../lab/chaos/cluster-view.ts";
import { stopProblems, victimOf } from "../../../lab/chaos/unclean-election.ts";
import { skipWithout } from "../../../lab/testkit/broker.ts";
import { obtainJars } from "../../../lab/testkit/broker-jars.ts";
import { ledgerLost, membershipLost } from "../../../src/registrar/fault.ts";
import { gapFault } from "../../../src/registrar/ownership/take-over.ts";
import { startCli } from "../../cli/run-cli.ts";
import { areGone, descendants, isWithoutBroker } from "./processes.ts";

test("a group's home among the offsets partitions is where Kafka looks for it", () => {
  // By Java's String.hashCode: "a" is 97, "connector-registrar" overflows 32 bits.
  assert.equal(groupPartition("a", 50), 97 % 50);
  assert.equal(groupPartition("ab", 1000), (97 * 31 + 98) % 1000);
  assert.equal(groupPartition("polygenelubricants", 50), -2147483648 & 0x7fffffff);
});

const partition = (
  topic: string,
  number: number,
  { leader, inSync = [1, 2, 3] }: Pick<PartitionView, "leader"> & Partial<Pick<PartitionView, "inSync">>,
): PartitionView => ({
  topic,
  partition: number,
  leader,
  replicas: [1, 2, 3],
  inSync,
});

test("the view of a cluster: who coordinates, who leads most, whether all is in step", () => {
  const metadata = (name: string, leaders: number[]) => ({
    name,
    partitions: leaders.map((leader, partitionId) => ({
      ...{ partitionErrorCode: 0, partitionId, leader },
      ...{ replicas: [1, 2, 3], isr: [1, 2, 3], offlineReplicas: [] },
    })),
  });
  const offsets = metadata("__consumer_offsets", [1, 1, 1, 1]);
  offsets.partitions[groupPartition("group", 4)]!.leader = 2;
  const view = viewOf([metadata("connector.enrolled", [3, 3, 3, 1]), offsets], "group");
  assert.equal(view.coordinator, 2);
  assert.equal(busiestLeader(view), 1);
  assert.equal(isWhole(view), true);
  const { coordinator } = view;
  assert.equal(
    isWhole({
      coordinator,
      partitions: [...view.partitions, partition("x", 0, { leader: 1, inSync: [1, 3] })],
    }),
    false,
  );
  assert.equal(
    isWhole({ coordinator, partitions: [...view.partitions, partition("x", 0, { leader: -1 })] }),
    false,
  );
  assert.equal(viewOf([], "group").coordinator, -1);
  assert.equal(
    busiestLeader({
      coordinator,
      partitions: [partition("x", 0, { leader: 3 }), partition("x", 1, { leader: 2 })],
    }),
    2,
  );
});

test("an unclean election is forced on a leader of the input that doesn't coordinate the group", () => {
  const input = [1, 1, 1, 2, 3, 3].map((leader, number) =>
    partition("connector.enrolled", number, { leader }),
  );
  assert.equal(victimOf({ coordinator: 2, partitions: input }), 1);
  assert.equal(victimOf({ coordinator: 1, partitions: input }), 3);
  assert.equal(victimOf({ coordinator: 1, partitions: input.slice(0, 3) }), null);
});

test("after an unclean election only a stop by the right fault is right", () => {
  const of = (topic: string, gap: Parameters<typeof gapFault>[2]) => gapFault(topic as "enrolled", 3, gap);
  const shorter = { why: "truncated", expected: 9, logStart: 0, logEnd: 5 } as const;
  const stop = { worker: 0, how: "exit code 1", fault: of("enrolled", shorter) };
  const others = { ...stop, worker: 1, fault: of("enrolled", { ...shorter, logEnd: 12 }) };
  assert.deepEqual(stopProblems([stop, others], 0), []);
  // Nothing was done that could lose these.
  for (const fault of [
    of("retry", shorter),
    of("enrolled", { ...shorter, why: "deleted", logStart: 20 }),
    of("enrolled", { ...shorter, why: "recreated" }),
    ledgerLost(3, "it ends at 5, and ended at 9"),
  ])
    assert.equal(stopProblems([{ ...stop, fault }], 0).length, 1, fault.message);
  assert.match(stopProblems([stop], 2).join(), /^2 workers went on/);
  assert.match(
    stopProblems([{ ...stop, fault: null }], 0).join(),
    /^worker-1 ended by exit code 1, fault none/,
  );
  assert.match(stopProblems([{ ...stop, fault: membershipLost("x") }], 0).join(), /fault membership-lost/);
  for (const how of ["exit code 0", "exit code 2"])
    assert.match(stopProblems([{ ...stop, how }], 0).join(), new RegExp(how));
  assert.match(stopProblems([{ ...stop, how: "SIGSEGV" }], 0).join(), /SIGSEGV/);
});

/** Brokers start, are missed for seconds and come back, all in earnest. */
const slow = { timeout: 500_000 };

test("three brokers, one killed, one frozen, a link cut: nothing lost, nothing twice", slow, async (t) => {
  const counts = ["--kills", "0", "--freezes", "0", "--broker-restarts", "1", "--broker-freezes", "1"];
  const args = ["chaos", "--brokers", "3", "--events", "60", ...counts, "--link-cuts", "1"];
  const limits = ["--timeout", "400", "--seed", "7", "--ids", "ignore", "--json"];
  const ended = await startCli([...args, ...limits], {}, { limitMs: slow.timeout - 10_000 }).ended;
  if (isWithoutBroker(t, ended)) return;
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  const { elapsedMs, duplicateRegistered, recovered, ...summary } = JSON.parse(ended.stdout);
  assert.deepEqual(summary, {
    ...{ events: 60, brokers: 3, kills: 0, freezes: 0, brokerRestarts: 1, coordinatorRestarts: 0 },
    ...{ brokerFreezes: 1, linkCuts: 1, uncleanElections: 0 },
    ...{ registered: 60, duplicateObjects: 0, lost: 0, seed: 7, ids: "ignore", graphFaults: "all" },
    problems: [],
  });
  assert.ok([elapsedMs, duplicateRegistered, recovered].every((count) => count >= 0));
});

/** Of chaos with one broker all processes are seen to end in chaos.test.ts; a frozen broker can't end by itself. */
test("brokers of a cluster, one frozen, end with the process that started them", slow, async (t) => {
  const module = new URL("../../../lab/testkit/broker-cluster.ts", import.meta.url);
  const script = `
    const { startCluster } = await import(${JSON.stringify(module.href)});
    const parts = { listeners: ["TESTS"], front: async (_route, port) => port };
    const signal = new AbortController().signal;
    const cluster = await startCluster({ size: 1, ...parts, onLine: () => {}, signal });
    if (!cluster.ok) throw new Error(cluster.reason);
    cluster.brokers[0].freeze();
    console.log("frozen");
    setInterval(() => {}, 60_000);`;
  const broker = await obtainJars();
  if (!broker.ok) return t.skip(skipWithout(broker) || undefined);
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: [...stdio] });
  t.after(() => child.kill("SIGKILL"));
  const [said] = await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
  assert.equal(String(said), "frozen\n");
  const started = descendants(child.pid!);
  assert.ok(started.length >= 3, "the broker, its guard and what watches that");
  child.kill("SIGKILL");
  await areGone(started);
});
