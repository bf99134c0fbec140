/** Workers of two versions in one group: who runs which, and which options that takes. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Crew } from "../../../lab/chaos/crew.ts";
import { faultsOf } from "../../../lab/chaos/graph-process.ts";
import { type ChaosFlags, type ChaosOptions, chaosOptions } from "../../../lab/chaos/options.ts";
import { planChaos } from "../../../lab/chaos/plan.ts";
import { registrarProgram } from "../../../lab/chaos/processes.ts";
import { openVersions } from "../../../lab/chaos/versions.ts";
import { temporaryDirectory } from "../../cli/run-cli.ts";

const times = { sessionTimeoutMs: 6_000, settleMs: 5_500, brokerSessionMs: 4_000 };
const flags: ChaosFlags = {
  ...{ events: 200, brokers: "1", kills: 3, freezes: 2, brokerRestarts: 1 },
  ...{ ids: "honour", seed: 1, timeout: 10, flavor: "kafka", rate: 20, graphFaults: "all" },
};

function read(more: Partial<ChaosFlags>) {
  const result = chaosOptions({ ...flags, ...more });
  return result.ok ? result.options : result.problem;
}

test("another version has to be installed, and goes with what older ones know", (t) => {
  const directory = temporaryDirectory(t);
  const code = (more: Partial<ChaosFlags>) => (read(more) as { code?: string }).code;
  assert.equal(code({ otherVersion: directory }), "no-other-version");
  mkdirSync(join(directory, "src", "cli"), { recursive: true });
  writeFileSync(join(directory, "src", "cli", "main.ts"), "");
  const { fix } = read({ otherVersion: directory }) as { fix: string };
  assert.equal(fix, `Type npm ci in ${directory}.`);
  mkdirSync(join(directory, "node_modules"));
  assert.equal(code({ otherVersion: directory }), undefined);
  assert.equal(code({ otherVersion: directory, tenantChanges: 1 }), "too-new");
  assert.equal(code({ updates: 3 }), "one-version");
  const { updates, otherVersion } = read({ otherVersion: directory }) as {
    updates: number;
    otherVersion: string;
  };
  assert.deepEqual([updates, otherVersion], [6, directory]);
});

test("plain faults of Graph hide no create that has run behind an answer, and refuse no batch", () => {
  const struck = (graphFaults: "all" | "plain", times = 1) => {
    const faults = faultsOf({ graphFaults, requestTimeoutMs: 2_000 }, times);
    return new Map(Object.entries(faults).filter(([, share]) => typeof share === "number" && share !== 0));
  };
  const [all, plain] = [struck("all"), struck("plain")];
  const left = ["unavailableAfter", "bandwidthAfter", "lockedAfter", "htmlAfter", "batchRefused"];
  assert.deepEqual([...all.keys()].filter((kind) => !plain.has(kind)).sort(), left.sort());
  for (const [kind, share] of plain) assert.equal(share, all.get(kind), kind);
  assert.equal(plain.get("slowMs"), 3_000);
  assert.equal(struck("plain", 3).get("unavailable"), 3 * Number(plain.get("unavailable")));
  assert.deepEqual([...struck("all", 0).keys()].sort(), ["retryAfterMs", "slowMs"]);
  assert.equal((read({ graphFaults: "plain" }) as ChaosOptions).graphFaults, "plain");
});

test("workers are updated one by one, all forward before the first goes back, among the other faults", () => {
  const options: ChaosOptions = {
    ...{ events: 400, brokers: 1, kills: 4, freezes: 2, brokerRestarts: 1, seed: 0, flavor: "kafka" },
    ...{ brokerFreezes: 0, linkCuts: 0, uncleanElection: false, tenantChanges: 0 },
    ...{ otherVersion: "x", updates: 6, graphFaults: "all" },
  };
  const wanted = [0, 1, 2]
    .map((worker) => `${worker} this`)
    .concat([0, 1, 2].map((worker) => `${worker} other`));
  for (let seed = 1; seed <= 10; seed++) {
    const { faults } = planChaos({ ...options, seed }, { workers: 3, partitionCount: 8, times });
    const updates = faults.flatMap((fault) =>
      fault.kind === "update" ? [`${fault.worker} ${fault.to}`] : [],
    );
    assert.deepEqual(updates, wanted);
    assert.equal(faults.length, 13);
  }
});

test("a worker that can't be updated just now keeps its version; one that is runs the other program", async () => {
  const versions = openVersions("other", 2);
  const other = versions.programOf(0);
  assert.ok(other.endsWith(join("other", "src", "cli", "main.ts")));
  let how: string | null = null;
  const crew = { replace: async () => how } as unknown as Crew;
  assert.equal(await versions.update(crew, 0, "this"), null);
  assert.equal(versions.programOf(0), other);
  how = "exit code 0";
  assert.match((await versions.update(crew, 0, "this"))!, /^worker 1 stopped \(exit code 0\)/);
  assert.deepEqual([versions.programOf(0), versions.programOf(1)], [registrarProgram, other]);
  assert.equal(openVersions(null, 1).programOf(0), registrarProgram);
});
