/** What reconcile says while workers are at work: in virtual time, with a log and a Graph that change between two looks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tenantId } from "../../lab/testkit/samples.ts";
import { allEqual, reportJson, reportLines } from "../../src/cli/reconcile/report.ts";
import { survey } from "../../src/cli/reconcile/survey.ts";
import type { Graph, GraphObject } from "../../src/graph-port.ts";
import type { Clock, EventLog } from "../../src/ports.ts";
import { object, record } from "../reconcile/registrations.ts";
import { scanBy } from "../support/scan-by.ts";

/** A connector of its own for each id, so that each object is an enrollment of its own. */
const made = (id: string): GraphObject => object(id, { connectorName: `connector ${id}` });

interface Look {
  /** In Graph's list when it is asked for; ids. */
  readonly listed: readonly string[];
  /** Ids registered by the time the log is read after it. */
  readonly registered: readonly string[];
}

/** Looks in order: a list, then a reading of the log; the first reading comes before any list. */
async function surveyOf(first: readonly string[], looks: readonly Look[], rereadCount = 3) {
  const stored = first.map((id) => record(made(id)));
  const waitsMs: number[] = [];
  let next = 0;
  const graph: Pick<Graph, "list"> = {
    async list() {
      const { listed } = looks[Math.min(next, looks.length - 1)]!;
      return { kind: "listed", objects: listed.map(made), incomplete: null };
    },
  };
  let isFirst = true;
  const log = {
    partitionCount: 1,
    scan: scanBy(async ({ from }, onRecords) => {
      if (!isFirst) for (const id of looks[next++]?.registered ?? []) stored.push(record(made(id)));
      isFirst = false;
      onRecords(stored.slice(from));
      return { ok: true, nextOffset: stored.length };
    }),
  };
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    after(delayMs, callback) {
      waitsMs.push(delayMs);
      queueMicrotask(callback);
      return () => {};
    },
  };
  const signal = new AbortController().signal;
  const parts = { graph: graph as Graph, clock, random: () => 0.5, signal };
  const settings = { tenantIds: [tenantId], ignored: new Set<never>(), rereadCount, rereadDelayMs: 2_000 };
  const found = await survey(log as unknown as EventLog, parts, settings);
  assert.ok(found.ok);
  return {
    found,
    waitsMs,
    lines: reportLines(found),
    json: JSON.parse(JSON.stringify(reportJson(found, []))),
  };
}

test("an object that is registered while Graph is asked counts on both sides", async () => {
  const { found, lines } = await surveyOf([], [{ listed: ["a"], registered: ["a"] }]);
  assert.equal(allEqual(found.results), true);
  assert.equal(lines[0], `tenant ${tenantId}: 1 registered, 1 in Graph, equal`);
});

test("an object that is created and registered after Graph was asked is counted apart", async () => {
  const { found, lines } = await surveyOf(["a"], [{ listed: ["a"], registered: ["b"] }]);
  assert.equal(allEqual(found.results), true);
  assert.equal(
    lines[0],
    `tenant ${tenantId}: 1 registered, 1 in Graph, equal; 1 more registered since Graph was asked`,
  );
});

test("each look shows another object that is not registered yet: work in progress, not orphaned and not equal", async () => {
  const { found, lines, json } = await surveyOf(
    [],
    [
      { listed: ["a"], registered: [] },
      { listed: ["a", "b"], registered: ["a"] },
      { listed: ["a", "b", "c"], registered: ["b"] },
      { listed: ["a", "b", "c"], registered: [] },
    ],
  );
  assert.equal(allEqual(found.results), false);
  assert.equal(lines[0], `tenant ${tenantId}: 2 registered, 3 in Graph, work in progress`);
  assert.match(lines[1]!, /^ {2}in progress .*connector c.*: c is not registered yet$/);
  assert.match(lines.at(-1)!, /^1 objects in progress: type reconcile again/);
  assert.deepEqual(
    [json.equal, json.inProgress, json.orphaned, json.results[0].status],
    [false, 1, 0, "in-progress"],
  );
});

test("what only the last list shows is looked for in the log once more", async () => {
  const { lines, waitsMs } = await surveyOf(
    [],
    [
      { listed: ["a"], registered: [] },
      { listed: ["a", "b"], registered: ["a"] },
      { listed: ["a", "b", "c"], registered: ["b"] },
      { listed: [], registered: ["c"] },
    ],
  );
  assert.equal(lines[0], `tenant ${tenantId}: 3 registered, 3 in Graph, equal`);
  assert.deepEqual(waitsMs, [2_000, 2_000, 2_000]);
});

test("a registered object that only the last list lacks is in progress; one that all lists lack is missing", async () => {
  const { json } = await surveyOf(
    ["gone"],
    [
      { listed: [], registered: [] },
      { listed: [], registered: ["late"] },
      { listed: [], registered: [] },
    ],
  );
  assert.deepEqual([json.missing, json.inProgress, json.results[0].status], [1, 1, "differs"]);
  assert.equal(json.results[0].missing[0].object.id, "gone");
  assert.equal(json.results[0].inProgress.unlisted[0].object.id, "late");
});

test("an object that every list shows and no record names is orphaned", async () => {
  const { json, lines } = await surveyOf([], [{ listed: ["x"], registered: [] }]);
  assert.deepEqual([json.orphaned, json.inProgress], [1, 0]);
  assert.match(lines[1]!, /^ {2}orphaned /);
});
