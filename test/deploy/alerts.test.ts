/** The alert rules are valid, do what their tests say, and speak of series that a worker or a service has from its start on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openMetrics } from "../../src/observe/metrics.ts";
import { openServiceMetrics } from "../../src/server/service-metrics.ts";
import { skipWithoutPromtool } from "../support/promtool.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = join(root, "deploy", "prometheus");
const rules = readFileSync(join(folder, "alerts.yml"), "utf8");
const skip = skipWithoutPromtool();

function promtool(...args: string[]) {
  const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
}

test("promtool takes the rules", { skip }, () => promtool("check", "rules", "alerts.yml"));

test("each alert fires when it should and only then, by promtool's tests", { skip }, () =>
  promtool("test", "rules", "alerts.test.yml"),
);

test("each alert has a test in which it fires and one in which it does not", () => {
  const cases = readFileSync(join(folder, "alerts.test.yml"), "utf8");
  for (const [, name] of rules.matchAll(/- alert: (\w+)/g)) {
    assert.match(cases, new RegExp(`alertname: ${name}\\n\\s+exp_alerts:`), `${name} fires`);
    assert.match(cases, new RegExp(`alertname: ${name} \\}`), `${name} is quiet`);
  }
});

test("each series of the rules is there, at 0 where it counts, before anything happened", async () => {
  const certificates = [{ application: "an application with a certificate", expiresInMs: 1 }];
  const ofWorkers = await openMetrics("1.2.3", () => null, {
    certificates: () => certificates,
    tenants: () => ({ served: 1, paused: 0, isFileBad: false }),
  }).text();
  const lines = `${ofWorkers}${await openServiceMetrics(false).text()}`.split("\n");
  const selectors = [
    ...rules.matchAll(/(connector_registrar_\w+)(?:\{(\w+)(=~|!=|=)"([^"]*)"\})?(?=[^\w{]*[ )[\n])/g),
  ];
  assert.ok(selectors.length > 15);
  for (const [selector, name, label, operator, value] of selectors) {
    const series = lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    const values = label === undefined ? [] : value!.split("|");
    const wanted = operator === "!=" ? ["unknown", "superseded"] : values;
    assert.ok(series.length > 0, selector);
    for (const each of wanted)
      assert.ok(
        series.some((line) => line.includes(`${label}="${each}"`)),
        `${selector}: ${each}`,
      );
    if (name!.endsWith("_total")) for (const line of series) assert.match(line, / 0$/);
  }
});

test("what OPERATING.md says to watch has an alert, and the alerts watch nothing else", () => {
  const operating = readFileSync(join(root, "docs", "OPERATING.md"), "utf8");
  const [, table = ""] = /\n\| watch \|[^\n]*\n([\s\S]*?)\n\n/.exec(operating) ?? [];
  const watched = new Set(
    table.split("\n").flatMap((row) => /connector_registrar_\w+/.exec(row.split("|")[1] ?? "")?.[0] ?? []),
  );
  const alerted = new Set(
    [...rules.matchAll(/expr:[\s\S]*?(connector_registrar_\w+)/g)].map(([, name]) => name!),
  );
  assert.ok(watched.size > 8);
  assert.deepEqual([...watched].sort(), [...alerted].sort());
});
