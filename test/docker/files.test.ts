/** The files of the container set-up agree with each other and with the code; needs no engine. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { emulatorCredential } from "../../emulator/credential.ts";
import { table } from "../../src/config/table.ts";
import { openMetrics } from "../../src/observe/metrics.ts";
import { root } from "./engine.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const compose = read("docker-compose.yml");
const example = read(".env.example");

test("every metric, label and series of the dashboard is one that the worker exports", async () => {
  // As scraped before anything happened: what appears only with its first event has no rate then.
  const exported = await openMetrics("1.2.3", () => null).text();
  const dashboard = JSON.parse(read("docker/grafana/dashboards/connector-registrar.json"));
  const queries: string[] = dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) =>
    panel.targets.map(({ expr }) => expr),
  );
  assert.ok(queries.length > 20);
  for (const query of queries) {
    const [, name, labels = ""] = /(connector_registrar_\w+)(?:\{([^}]*)\})?/.exec(query) ?? [];
    assert.ok(name, query);
    const series = exported
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    assert.ok(series.length > 0, `${name} is exported`);
    for (const label of labels.split(",").filter((text) => text !== ""))
      assert.ok(
        series.some((line) => line.includes(label)),
        `${name} has a series with ${label}`,
      );
    const [, groups = ""] = /by \(([^)]*)\)/.exec(query) ?? [];
    for (const label of groups.split(",").map((text) => text.trim()))
      assert.ok(
        label === "" || series.some((line) => line.includes(`${label}="`)),
        `${name} has the label ${label}`,
      );
  }
});

test("the dashboard shows what an operator asks for first", () => {
  const dashboard = read("docker/grafana/dashboards/connector-registrar.json");
  for (const name of [
    "records_read_total",
    "registered_total",
    "lag_records",
    "graph_requests_in_flight",
    "attempts_failed_total",
    'graph_answers_total{result=\\"429\\"}',
    "dead_letters_total",
    "breaker_state",
    "graph_request_duration_seconds_bucket",
  ])
    assert.ok(dashboard.includes(`connector_registrar_${name}`), name);
});

test("every published port is bound to this machine alone", () => {
  const published = [...compose.matchAll(/^ {4}ports: \["([^"]+)"\]$/gm)].map((match) => match[1]!);
  assert.equal(published.length, [...compose.matchAll(/^ {4}ports:/gm)].length);
  assert.ok(published.length >= 5);
  for (const port of published) assert.ok(port.startsWith("127.0.0.1:"), port);
});

test("the stack's default credential is the emulator's own", () => {
  const { tenantId, clientId, clientSecret } = emulatorCredential;
  for (const [name, value] of Object.entries({
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
  }))
    assert.ok(compose.includes(`${name}: \${${name}:-${value}}`), name);
});

test(".env.example names every variable of the compose file, with its default, and settings that exist", () => {
  const defaults = new Map<string, string>();
  for (const [, name, , value] of compose.matchAll(/\$\{([A-Z_]+)(:?-)([^}]*)\}/g))
    defaults.set(name!, value!);
  const shown = new Map(
    [...example.matchAll(/^#([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]),
  );
  const ours = new Set<string>(Object.values(table).map(({ variable }) => variable));
  const emptied = new Set(["GRAPH_BASE_URL", "AZURE_AUTHORITY_HOST", "GRAPH_CA_FILE"]);
  for (const [name, value] of shown) {
    assert.ok(defaults.has(name) || ours.has(name), `${name} means something`);
    if (emptied.has(name)) assert.equal(value, "");
    else if (name === "TOPICS_PARTITIONS") assert.equal(value, String(table.topicsPartitions.fallback));
    else assert.equal(value, defaults.get(name), name);
  }
  const internal = new Set(["REGISTRAR_IMAGE", "EMULATOR_IMAGE", "KAFKA_TOPIC_PREFIX"]);
  for (const name of defaults.keys())
    assert.ok(shown.has(name) || internal.has(name), `${name} is in .env.example`);
});

test("the image's version is the package's", () => {
  const { version } = JSON.parse(read("package.json"));
  assert.match(read("Dockerfile"), new RegExp(`^ARG VERSION=${version.replaceAll(".", "\\.")}$`, "m"));
});

test("the checked-in files name public images by version and nothing of this machine", () => {
  const files = [
    "Dockerfile",
    "docker-compose.yml",
    ".env.example",
    ...globSync("docker/**/*.*", { cwd: root }),
  ];
  const stages = new Set([...read("Dockerfile").matchAll(/^FROM \S+ AS (\S+)$/gm)].map((match) => match[1]!));
  const images = files
    .flatMap((file) => [...read(file).matchAll(/^(?:FROM| {2,4}image:) (\S+)/gm)].map((match) => match[1]!))
    .filter((image) => !stages.has(image));
  for (const image of images)
    assert.match(
      image,
      /^(node|apache\/kafka|prom\/prometheus|grafana\/grafana):v?\d|^\$\{(?:REGISTRAR|EMULATOR)_IMAGE/,
    );
  assert.ok(images.length >= 6);
});
