import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChaosOptions } from "../../../lab/chaos/options.ts";
import { type ChaosFlags, chaosOptions } from "../../../lab/chaos/options.ts";
import { type ChaosPlan, planChaos } from "../../../lab/chaos/plan.ts";
import type { PlannedFault } from "../../../lab/chaos/plan-faults.ts";
import { type ChaosOutcome, verifyChaos } from "../../../lab/chaos/verify.ts";
import type { GraphObject } from "../../../src/graph-port.ts";
import type { LogRecord } from "../../../src/ports.ts";
import { startCli } from "../../cli/run-cli.ts";
import { endedBy, isWithoutBroker } from "./processes.ts";

const options: ChaosOptions = {
  ...{ events: 40, brokers: 1, kills: 4, freezes: 3, brokerRestarts: 2, seed: 7 },
  ...{
    brokerFreezes: 0,
    linkCuts: 0,
    uncleanElection: false,
    tenantChanges: 0,
    flavor: "kafka",
    graphFaults: "all",
  },
  ...{ otherVersion: null, updates: 0 },
};
const times = { sessionTimeoutMs: 6_000, settleMs: 5_500, brokerSessionMs: 4_000 };
const deployment = { workers: 3, partitionCount: 8, times };
const plan = planChaos(options, deployment);
const utf8 = (text: string) => new TextEncoder().encode(text);

test("a seed decides everything; all faults strike in order before the end, freezes past the session", () => {
  assert.deepEqual(planChaos(options, deployment), plan);
  assert.notDeepEqual(planChaos({ ...options, seed: 8 }, deployment).records, plan.records);
  const count = (kind: string) => plan.faults.filter((fault) => fault.kind === kind).length;
  assert.deepEqual([count("kill"), count("freeze"), count("broker-restart")], [4, 3, 2]);
  const places = plan.faults.map(({ at }) => at);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.ok(places.at(-1)! < options.events);
  assert.ok(plan.faults.every((fault) => fault.kind !== "freeze" || fault.forMs > times.sessionTimeoutMs));
  assert.equal(plan.records.length, 40 + 4 + plan.bad.length);
});

test("three brokers: what strikes them is as many as asked for, the coordinator among it, an unclean election last", () => {
  const three: ChaosOptions = {
    ...{ ...options, events: 1000, brokers: 3, brokerRestarts: 9, brokerFreezes: 2, linkCuts: 5 },
    uncleanElection: true,
  };
  for (let seed = 1; seed <= 30; seed++) {
    const { faults } = planChaos({ ...three, seed }, deployment);
    const of = <Kind extends PlannedFault["kind"]>(kind: Kind) =>
      faults.filter((fault): fault is Extract<PlannedFault, { kind: Kind }> => fault.kind === kind);
    assert.deepEqual([of("kill").length, of("freeze").length, of("broker-restart").length], [4, 3, 9]);
    assert.deepEqual(
      [of("broker-freeze").length, of("worker-cut").length, of("broker-cut").length],
      [2, 3, 2],
    );
    assert.ok(of("broker-restart").some(({ target }) => target === "coordinator"));
    assert.ok(of("broker-restart").every(({ target, graceful }) => !graceful || target === "coordinator"));
    const long = [...of("broker-freeze"), ...of("worker-cut"), ...of("broker-cut")];
    assert.ok(long.every(({ forMs }) => forMs > times.brokerSessionMs));
    assert.deepEqual([of("unclean-election").length, faults.at(-1)?.kind], [1, "unclean-election"]);
    assert.ok(faults.every(({ at }) => at <= 500));
  }
  const all = Array.from(
    { length: 30 },
    (_, seed) => planChaos({ ...three, seed }, deployment).faults,
  ).flat();
  const seen = new Set(
    all.flatMap((fault) => {
      if (fault.kind === "worker-cut") return [fault.direction];
      if (fault.kind === "broker-cut") return [fault.bearing, fault.target];
      return fault.kind === "broker-restart" ? [`graceful ${fault.graceful}`] : [];
    }),
  );
  const wanted = ["back", "coordinator", "forth", "graceful false", "graceful true", "in", "leader", "out"];
  assert.deepEqual([...seen].sort(), wanted);
});

test("options that need three brokers are refused with one, and have defaults with three", () => {
  const flags: ChaosFlags = {
    ...{ events: 200, brokers: "1", kills: 1, freezes: 1, brokerRestarts: 1 },
    ...{ ids: "honour", seed: 1, timeout: 10, flavor: "kafka", graphFaults: "all", rate: 20 },
  };
  const read = (more: Partial<ChaosFlags>) => {
    const result = chaosOptions({ ...flags, ...more });
    return result.ok ? result.options : result.problem.code;
  };
  const one = {
    events: 200,
    brokers: 1,
    kills: 1,
    freezes: 1,
    brokerRestarts: 1,
    seed: 1,
    flavor: "kafka",
    graphFaults: "all",
  };
  const none = {
    brokerFreezes: 0,
    linkCuts: 0,
    uncleanElection: false,
    tenantChanges: 0,
    otherVersion: null,
    updates: 0,
  };
  assert.deepEqual(read({}), { ...one, ...none });
  assert.deepEqual(read({ brokerFreezes: 0, linkCuts: 0 }), { ...one, ...none });
  assert.equal(read({ brokerFreezes: 1 }), "needs-cluster");
  assert.equal(read({ linkCuts: 1 }), "needs-cluster");
  assert.equal(read({ brokers: "3", flavor: "event-hubs" }), "one-address");
  assert.equal(read({ uncleanElection: true, events: 1000 }), "needs-cluster");
  assert.deepEqual(read({ brokers: "3" }), { ...one, ...none, brokers: 3, brokerFreezes: 2, linkCuts: 4 });
  assert.deepEqual(read({ brokers: "3", brokerFreezes: 1, linkCuts: 0 }), {
    ...one,
    ...none,
    ...{ brokers: 3, brokerFreezes: 1 },
  });
  assert.equal(read({ brokers: "3", uncleanElection: true }), "too-few-events");
  assert.deepEqual(read({ brokers: "3", uncleanElection: true, events: 600 }), {
    ...one,
    ...none,
    ...{ events: 600, brokers: 3, brokerFreezes: 2, linkCuts: 4, uncleanElection: true },
  });
});

/** What a run without fault leaves, changed by `change`. */
function outcome(change: (all: Mutable) => void = () => {}): ChaosOutcome {
  const all: Mutable = { registered: [], deadLetters: [], inventory: {} };
  for (const [index, { tenantId, data }] of plan.enrollments.entries()) {
    all.inventory[tenantId] ??= [];
    all.inventory[tenantId].push({ id: `graph-${index}`, ...data });
    all.registered.push({
      id: `key-${index}`,
      data: { id: `graph-${index}`, tenantId, outcome: "created", ...data },
    });
  }
  all.deadLetters.push(...plan.bad);
  change(all);
  const record = {
    topic: "registered",
    partition: 0,
    offset: 0,
    key: null,
    headers: [],
    timestampMs: 0,
    leaderEpoch: -1,
  } as const;
  return {
    inventory: all.inventory,
    registered: all.registered.map((event) => ({ ...record, value: utf8(JSON.stringify(event)) })),
    deadLetters: all.deadLetters.map(
      (letter): LogRecord => ({ ...letter, topic: "dlq", offset: 0, timestampMs: 0, leaderEpoch: -1 }),
    ),
  };
}

interface Mutable {
  registered: { id: string; data: Record<string, unknown> }[];
  deadLetters: ChaosPlan["bad"][number][];
  inventory: Record<string, GraphObject[]>;
}

test("a run without fault: every enrollment once, nothing to complain about", () => {
  assert.deepEqual(verifyChaos(plan, outcome()), {
    registered: 40,
    duplicateObjects: 0,
    duplicateRegistered: 0,
    refusedForTenant: 0,
    lost: 0,
    recovered: 0,
    problems: [],
  });
});

test("each fault of a run is counted, and said in words", () => {
  const tenantId = plan.enrollments[0]!.tenantId;
  const cases: [name: string, change: (all: Mutable) => void, counts: object, problem: RegExp | null][] = [
    ["no record", (all) => all.registered.shift(), { registered: 39, lost: 1 }, /^lost: /],
    ["no object", (all) => all.inventory[tenantId]!.shift(), { lost: 1 }, /doesn't hold/],
    ["no dead letter", (all) => all.deadLetters.shift(), { lost: 1 }, /^lost: no dead letter/],
    [
      "a second object",
      (all) => {
        const [first] = all.inventory[tenantId]!;
        all.inventory[tenantId]!.push({
          ...first!,
          id: "more",
          machineName: first!.machineName.toLowerCase(),
        });
      },
      { duplicateObjects: 1 },
      /^2 objects \(graph-0, more\)/,
    ],
    [
      "a record twice, with different contents",
      (all) => {
        const [first] = all.registered;
        all.registered.push({
          ...first!,
          data: { ...first!.data, outcome: "recovered", registeredAt: "later" },
        });
      },
      { duplicateRegistered: 1 },
      null,
    ],
    [
      "a record twice, with another Graph id",
      (all) =>
        all.registered.push({ ...all.registered[0]!, data: { ...all.registered[0]!.data, id: "other" } }),
      { duplicateRegistered: 1 },
      /differ/,
    ],
    [
      "one enrollment under two keys",
      (all) => all.registered.push({ ...all.registered[0]!, id: "another" }),
      {},
      /under 2 ids/,
    ],
    [
      "a good record dead-lettered",
      (all) => all.deadLetters.push(plan.records.find((record) => !plan.bad.includes(record))!),
      {},
      /dead letter of a good record/,
    ],
    [
      "a record that was not emitted",
      (all) =>
        all.inventory[tenantId]!.push({ ...all.inventory[tenantId]![0]!, id: "x", connectorName: "x" }),
      {},
      /never emitted/,
    ],
  ];
  const right = {
    ...{ registered: 40, duplicateObjects: 0, duplicateRegistered: 0, lost: 0, recovered: 0 },
    refusedForTenant: 0,
  };
  for (const [name, change, counts, problem] of cases) {
    const { problems, ...found } = verifyChaos(plan, outcome(change));
    assert.deepEqual(found, { ...right, ...counts }, name);
    if (problem === null) assert.deepEqual(problems, [], name);
    else assert.match(problems.join("\n"), problem, name);
  }
});

/** Session time-outs and a broker that starts twice are waited for in earnest, on a busy machine too. */
const slow = { timeout: 400_000 };
const small = [
  "--timeout",
  "330",
  "--events",
  "60",
  "--kills",
  "1",
  "--freezes",
  "1",
  "--broker-restarts",
  "1",
];

test("real processes killed, frozen and restarted: nothing lost, nothing twice", slow, async (t) => {
  const args = ["chaos", ...small, "--seed", "3", "--ids", "ignore", "--json"];
  const ended = startCli(args, {}, { limitMs: slow.timeout - 10_000 }).ended;
  const { code, stdout, stderr } = await ended;
  if (isWithoutBroker(t, { code, stdout, stderr })) return;
  assert.equal(code, 0, stdout + stderr);
  const { elapsedMs, duplicateRegistered, recovered, ...summary } = JSON.parse(stdout);
  assert.deepEqual(summary, {
    events: 60,
    brokers: 1,
    kills: 1,
    freezes: 1,
    brokerRestarts: 1,
    registered: 60,
    duplicateObjects: 0,
    lost: 0,
    seed: 3,
    ids: "ignore",
    graphFaults: "all",
    problems: [],
  });
  assert.ok([elapsedMs, duplicateRegistered, recovered].every((count) => count >= 0));
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`ended by ${signal}, in the middle: no process is left`, slow, async (t) => {
    await endedBy(t, signal, {
      options: [...small, "--kills", "0", "--broker-restarts", "0"],
      leastStarted: 4,
    });
  });
}
