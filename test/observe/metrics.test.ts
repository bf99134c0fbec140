import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { notCounted } from "../../src/observe/event-metrics.ts";
import { logOperationLabels } from "../../src/observe/known-labels.ts";
import { openMetrics } from "../../src/observe/metrics.ts";
import type { RegistrarEvent } from "../../src/observer.ts";
import { sampleEvents, tenantId } from "./sample-events.ts";

const root = join(import.meta.dirname, "..", "..");
const status = {
  ready: true,
  partitions: [0, 1],
  inFlight: 3,
  waiting: 4,
  parked: 0,
  ledgerEntries: 5,
  breaker: "open" as const,
  blockedTenants: [tenantId],
  lagRecords: 6,
};

async function metricsText() {
  const metrics = openMetrics("1.2.3", () => status);
  for (const event of sampleEvents) metrics.observe(event);
  return metrics.text();
}

test("events are counted and gauges show the status", async () => {
  const text = await metricsText();
  for (const line of [
    'connector_registrar_records_read_total{topic="enrolled"} 10',
    'connector_registrar_registered_total{outcome="created"} 1',
    'connector_registrar_registered_total{outcome="recovered"} 0',
    "connector_registrar_duplicates_total 1",
    'connector_registrar_dead_letters_total{code="value-not-json"} 1',
    'connector_registrar_attempts_failed_total{verdict="throttled"} 1',
    'connector_registrar_graph_answers_total{result="2xx"} 1',
    'connector_registrar_graph_answers_total{result="429"} 1',
    'connector_registrar_graph_answers_total{result="5xx"} 1',
    'connector_registrar_graph_answers_total{result="timeout"} 1',
    'connector_registrar_graph_request_duration_seconds_count{operation="batch"} 1',
    'connector_registrar_graph_request_duration_seconds_sum{operation="batch"} 0.08',
    'connector_registrar_commits_total{result="committed"} 1',
    "connector_registrar_registration_age_seconds_sum 0.25",
    "connector_registrar_graph_requests_in_flight 3",
    "connector_registrar_records_waiting 4",
    "connector_registrar_ledger_entries 5",
    "connector_registrar_lag_records 6",
    "connector_registrar_log_up 0",
    "connector_registrar_sessions_total 1",
    "connector_registrar_partitions_gained_total 1",
    "connector_registrar_partitions_lost_total 1",
    'connector_registrar_gaps_passed_total{topic="retry"} 1',
    "connector_registrar_dead_letters_found_total 1",
    "connector_registrar_log_token_failures_total 1",
    'connector_registrar_graph_normalises{what="seconds"} 1',
    'connector_registrar_graph_normalises{what="milliseconds"} 0',
    'connector_registrar_breaker_state{state="open"} 1',
    'connector_registrar_breaker_state{state="closed"} 0',
    "connector_registrar_tenants_blocked 1",
  ]) {
    assert.ok(text.split("\n").includes(line), `${line}\nnot in\n${text}`);
  }
  assert.match(text, /connector_registrar_build_info\{version="1\.2\.3",node="v\d/);
});

test("names follow Prometheus' conventions and labels are few", async () => {
  const text = await metricsText();
  const types = [...text.matchAll(/^# TYPE (connector_registrar_\S+) (\w+)$/gm)].map(([, name, type]) => ({
    name: name!,
    type,
  }));
  assert.ok(types.length > 15);
  for (const { name, type } of types) {
    assert.match(name, /^[a-z0-9_]+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    if (type === "histogram") assert.match(name, /_seconds$/);
  }
  const labels = new Set(
    [...text.matchAll(/^connector_registrar_\w+\{([^}]*)\}/gm)].flatMap(([, inside]) =>
      [...inside!.matchAll(/(\w+)=/g)].map(([, label]) => label),
    ),
  );
  assert.deepEqual([...labels].sort(), [
    "code",
    "le",
    "node",
    "operation",
    "outcome",
    "result",
    "state",
    "topic",
    "verdict",
    "version",
    "what",
  ]);
  assert.ok(!text.includes(tenantId));
});

test("every label value that is known begins at 0: no event brings a series that was not there", async () => {
  const names = async (metrics: ReturnType<typeof openMetrics>) =>
    (await metrics.text())
      .split("\n")
      .filter((line) => line.startsWith("connector_registrar_"))
      .map((line) => line.slice(0, line.lastIndexOf(" ")));
  const metrics = openMetrics("1.2.3", () => status);
  const before = await names(metrics);
  for (const event of sampleEvents) metrics.observe(event);
  assert.deepEqual(
    (await names(metrics)).filter((series) => !before.includes(series)),
    [],
  );
});

test("there is a sample of each kind of event", () => {
  const source = readFileSync(join(root, "src/observer.ts"), "utf8");
  const kinds = [...source.matchAll(/readonly kind: "([^"]+)"/g)].map(([, kind]) => kind!);
  assert.ok(kinds.length > 25);
  assert.deepEqual([...new Set(sampleEvents.map(({ kind }) => kind))].sort(), kinds.sort());
});

test("each kind of event changes a metric, or it is named with the reason why it needs none", async () => {
  const valuesAfter = async (events: readonly RegistrarEvent[]) => {
    const metrics = openMetrics("1.2.3", () => status);
    for (const event of events) metrics.observe(event);
    return (await metrics.text()).split("\n").filter((line) => line.startsWith("connector_registrar_"));
  };
  const wrong: string[] = [];
  for (const event of sampleEvents) {
    // What ends a state shows only after what began it.
    const before =
      event.kind === "log-reachable" ? sampleEvents.filter(({ kind }) => kind === "log-unreachable") : [];
    const changes = String(await valuesAfter(before)) !== String(await valuesAfter([...before, event]));
    const reason = Object.entries(notCounted).find(([kind]) => kind === event.kind)?.[1] ?? "";
    if (changes === reason.length > 20) wrong.push(event.kind);
  }
  assert.deepEqual(wrong, []);
});

test("every operation of the log that the registrar names is known", () => {
  const source = globSync("src/registrar/**/*.ts", { cwd: root }).map((path) =>
    readFileSync(join(root, path), "utf8"),
  );
  const named = source.flatMap((text) =>
    [
      ...text.matchAll(/kind: "log-failed", operation: "([^"]+)"|persist(?:<[^(]*>)?\([\w.]+, "([^"]+)"/g),
    ].map(([, event, persisted]) => event ?? persisted!),
  );
  assert.ok(named.length >= logOperationLabels.length);
  assert.deepEqual([...new Set(named)].sort(), [...logOperationLabels].sort());
});

test("before the registrar runs, gauges are 0", async () => {
  const text = await openMetrics("1.2.3", () => null).text();
  assert.match(text, /^connector_registrar_ready 0$/m);
});
