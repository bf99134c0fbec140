/** A worker's traces, as a collector gets them: `start` in a process of its own, an emulator that fails on purpose. */
import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { faultProfile } from "../../emulator/faults.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { traceparent } from "../../lab/testkit/samples.ts";
import { systemClock } from "../../src/clock.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import type { EventLog, LogRecord, NewRecord } from "../../src/ports.ts";
import { type Collector, type ReadSpan, startCollector } from "../observe/traces/otlp-reader.ts";
import { jsonLines, startCli, temporaryDirectory } from "./run-cli.ts";

const partitionCount = 8;
const installer = { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52) };

async function place(t: TestContext, more: Readonly<Record<string, string>> = {}) {
  const { emulator, environment } = await emulatorFor(t);
  const collector = await startCollector();
  t.after(() => collector.close());
  const worker = {
    ...environment,
    DATA_DIR: temporaryDirectory(t),
    LOG_LEVEL: "debug",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: "50",
    ...more,
  };
  return { emulator, collector, worker };
}

function eventOf(changes: object = {}): string {
  const data = {
    connectorName: "Connector 1",
    machineName: "PKI-01",
    enrollmentDateTime: "2026-01-05T08:00:00.1234567+01:00",
    lastCheckinDateTime: "2026-01-05T08:00:00+01:00",
    connectorVersion: "6.2406.0.1001",
  };
  const attributes = { specversion: "1.0", id: "e-1", source: "/installers/17", type: "connector.enrolled" };
  return JSON.stringify({ ...attributes, tenantid: tenantId, traceparent, data, ...changes });
}

/** In this process, as `emit --raw` does it: a process for each would take most of the time. */
async function withLog<T>(
  { DATA_DIR: dataDir }: { readonly DATA_DIR: string },
  use: (log: EventLog) => Promise<T>,
) {
  const opening = await openEmbeddedLog({ dataDir, partitionCount }, systemClock);
  assert.ok(opening.ok);
  const result = await use(opening.log);
  await opening.log.close();
  return result;
}

async function emit(environment: { readonly DATA_DIR: string }, ...events: readonly string[]): Promise<void> {
  const partition = homePartition(tenantId, partitionCount);
  const key = Buffer.from(tenantId);
  const records = events.map(
    (event): NewRecord => ({ topic: "enrolled", partition, key, value: Buffer.from(event), headers: [] }),
  );
  assert.deepEqual(await withLog(environment, (log) => log.append(records)), { ok: true });
}

/** The one record of connector.registered, as an event. */
async function registeredOf(environment: { readonly DATA_DIR: string }) {
  const records: LogRecord[] = [];
  const partition = homePartition(tenantId, partitionCount);
  await withLog(environment, (log) =>
    log.scan("registered", partition, 0, (some) => void records.push(...some), new AbortController().signal),
  );
  assert.equal(records.length, 1);
  return JSON.parse(Buffer.from(records[0]!.value!).toString());
}

const named = (name: string) => (span: ReadSpan) => span.name === name;
const below = (collector: Collector, parent: ReadSpan, name: string) =>
  collector.spans().filter((span) => span.parentSpanId === parent.spanId && span.name === name);

test("one enrollment: 429, then a lost reply, then found by a read; the registered record carries the trace on", async (t) => {
  const { emulator, collector, worker: environment } = await place(t);
  const none = faultProfile("none");
  emulator.setFaults({ ...none, throttled: 1, retryAfterMs: 1_000 });
  await emit(environment, eventOf());
  const worker = startCli(["start"], environment);
  t.after(() => worker.child.kill("SIGKILL"));
  await worker.line(/"verdict":"throttled"/);
  emulator.setFaults({ ...none, resetAfter: 1 });
  await worker.line(/"verdict":"unknown"/);
  emulator.setFaults(none);
  const line = JSON.parse(await worker.line(/"event":"record-registered"/));
  const process = await collector.span(named("process connector.enrolled"));
  worker.child.kill("SIGTERM");
  const { code, stdout } = await worker.ended;
  assert.equal(code, 0, stdout);

  assert.equal(process.kind, 5);
  assert.equal(process.parentSpanId, "");
  assert.deepEqual(
    process.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
    [installer],
  );
  assert.equal(process.attributes["messaging.system.name"], "embedded");
  assert.equal(process.attributes["messaging.destination.name"], "connector.enrolled");
  assert.equal(process.attributes["kafka.offset"], 0);
  assert.equal(process.attributes["cloudevents.event_id"], "e-1");
  assert.equal(process.attributes["connector_registrar.outcome"], "registered");
  assert.ok(
    process.events.some(({ attributes }) => attributes["connector_registrar.verdict"] === "throttled"),
  );

  const creates = below(collector, process, "create");
  const throttled = creates.find(({ attributes }) => attributes["http.response.status_code"] === 429)!;
  assert.equal(throttled.kind, 3);
  assert.equal(throttled.attributes["http.response.header.retry-after"], "1");
  assert.match(String(throttled.attributes["http.response.header.request-id"]), /^[0-9a-f-]{36}$/);
  assert.match(String(throttled.attributes["http.request.header.client-request-id"]), /^[0-9a-f-]{36}$/);
  assert.equal(throttled.attributes["server.address"], "localhost");
  assert.equal(throttled.statusCode, 2);
  const lost = creates.at(-1)!;
  assert.equal(lost.attributes["error.type"], "reset");
  assert.equal(lost.attributes["http.request.resend_count"], creates.length - 1);
  const reads = [...below(collector, process, "read by id"), ...below(collector, process, "read list")];
  assert.equal(reads.at(-1)?.attributes["http.response.status_code"], 200);
  const [send] = below(collector, process, "send connector.registered");
  assert.equal(send!.kind, 4);
  assert.ok(process.endNs >= send!.endNs && send!.startNs >= reads.at(-1)!.endNs);

  const { traceparent: carried } = await registeredOf(environment);
  assert.equal(carried, `00-${send!.traceId}-${send!.spanId}-01`);
  assert.deepEqual([line.trace_id, line.span_id], [process.traceId, process.spanId]);
  const failed = jsonLines(stdout).filter(({ event }) => event === "attempt-failed");
  assert.ok(failed.length >= 2 && failed.every(({ trace_id }) => trace_id === process.traceId));
  assert.equal(collector.requests[0]!.resource["service.name"], "connector-registrar");
});

test("a parked record: its second trace is linked to the append that parked it, and to the installer", async (t) => {
  const { collector, worker: environment } = await place(t, { OTEL_SERVICE_NAME: "registrar-of-ours" });
  const { AZURE_TENANT_ID: _, ...rest } = environment;
  const path = join(environment.DATA_DIR, "tenants.json");
  const put = (paused: boolean) => {
    writeFileSync(`${path}.new`, JSON.stringify({ tenants: [{ tenantId, paused }] }));
    renameSync(`${path}.new`, path);
  };
  put(true);
  await emit(environment, eventOf());
  const worker = startCli(["start"], { ...rest, TENANTS_FILE: path });
  t.after(() => worker.child.kill("SIGKILL"));
  const parked = await collector.span(named("process connector.enrolled"));
  put(false);
  const taken = await collector.span(named("process connector.enrolled.retry"));
  worker.child.kill("SIGTERM");
  await worker.ended;
  const [send] = below(collector, parked, "send connector.enrolled.retry");
  assert.equal(parked.attributes["connector_registrar.outcome"], "parked");
  assert.deepEqual(
    taken.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
    [installer, { traceId: send!.traceId, spanId: send!.spanId }],
  );
  assert.equal(taken.attributes["connector_registrar.outcome"], "registered");
  assert.equal(below(collector, taken, "create").length, 1);
  assert.equal(collector.requests[0]!.resource["service.name"], "registrar-of-ours");
});

test("a dead letter's trace says why; a hostile traceparent makes neither a link nor a failure", async (t) => {
  const { collector, worker: environment } = await place(t, { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" });
  const hostile = `00-${"0".repeat(32)}-${installer.spanId.toUpperCase()}-01`;
  await emit(environment, eventOf({ traceparent: hostile }), eventOf({ tenantid: "no tenant" }));
  const worker = startCli(["start"], environment);
  t.after(() => worker.child.kill("SIGKILL"));
  const registered = await collector.span(
    ({ attributes }) => attributes["connector_registrar.outcome"] === "registered",
  );
  const dead = await collector.span(
    ({ attributes }) => attributes["connector_registrar.outcome"] === "dead-lettered",
  );
  worker.child.kill("SIGTERM");
  await worker.ended;
  assert.deepEqual(registered.links, []);
  assert.equal(dead.attributes["connector_registrar.dead_letter_code"], "tenant-malformed");
  assert.equal(dead.statusCode, 2);
  assert.equal(below(collector, dead, "send connector.enrolled.dlq").length, 1);
  assert.equal(collector.headers[0]!["content-encoding"], "gzip");
});

test("a request to start --serve: its span is the installer's child, and the record's trace is linked to the append", async (t) => {
  const { collector, worker: environment } = await place(t);
  const worker = startCli(["start", "--serve", "--serve-port", "0"], environment);
  t.after(() => worker.child.kill("SIGKILL"));
  const { url } = JSON.parse(await worker.line(/"serving at /));
  await worker.line(/"msg":"working on /);
  const post = () =>
    fetch(`${url}/events`, {
      method: "POST",
      headers: { "content-type": "application/cloudevents+json", traceparent },
      body: eventOf({ traceparent: undefined }),
    });
  assert.equal((await post()).status, 202);
  const process = await collector.span(named("process connector.enrolled"));
  const server = await collector.span(named("POST /events"));
  worker.child.kill("SIGTERM");
  await worker.ended;
  assert.deepEqual(
    [server.traceId, server.parentSpanId, server.kind],
    [installer.traceId, installer.spanId, 2],
  );
  assert.equal(server.attributes["http.response.status_code"], 202);
  const [send] = below(collector, server, "send connector.enrolled");
  assert.deepEqual(
    process.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
    [{ traceId: send!.traceId, spanId: send!.spanId }],
  );
});

/** Has every module that is loaded written to a file. */
function loadsIn(file: string): { readonly NODE_OPTIONS: string } {
  const script = `import { registerHooks } from "node:module"; import { appendFileSync } from "node:fs";
    registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(file)}, url + "\\n"); return next(url, context); } });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

test("without an address nothing of it is loaded, and what the event had is carried on", async (t) => {
  const { collector, worker } = await place(t);
  const { OTEL_EXPORTER_OTLP_ENDPOINT: _, ...environment } = worker;
  const loadedOf = async (
    given: Readonly<Record<string, string>> & { readonly DATA_DIR: string },
    name: string,
    until: RegExp,
  ) => {
    const file = join(given.DATA_DIR, name);
    const running = startCli(["start"], { ...given, ...loadsIn(file) });
    t.after(() => running.child.kill("SIGKILL"));
    await running.line(until);
    running.child.kill("SIGTERM");
    const { code, stdout } = await running.ended;
    assert.equal(code, 0, stdout);
    return { loaded: readFileSync(file, "utf8"), stdout };
  };
  await emit(environment, eventOf());
  const { loaded: without, stdout } = await loadedOf(environment, "without", /"event":"record-registered"/);
  const traced = await loadedOf(worker, "with", /"event":"partition-gained"/);
  assert.doesNotMatch(without, /open-traces/);
  assert.match(without, /registrar/);
  assert.match(traced.loaded, /open-traces/);
  assert.doesNotMatch(stdout, /trace_id/);
  assert.equal((await registeredOf(environment)).traceparent, traceparent);
  assert.deepEqual(collector.spans(), []);
});

test("a collector that hangs delays neither the work nor the stop, and is reported once", async (t) => {
  const { collector, worker: environment } = await place(t, { OTEL_EXPORTER_OTLP_TIMEOUT: "300" });
  collector.answer = null;
  await emit(environment, eventOf());
  const worker = startCli(["start", "--http-port", "0", "--shutdown-timeout-ms", "9000"], environment);
  t.after(() => worker.child.kill("SIGKILL"));
  const { url } = JSON.parse(await worker.line(/health and metrics/));
  await worker.line(/"event":"record-registered"/);
  await worker.line(/"event":"traces-failing"/);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^connector_registrar_traces_waiting_spans [1-9]/m);
  assert.match(metrics, /^connector_registrar_traces_open_records 0$/m);
  worker.child.kill("SIGTERM");
  const { code, stdout } = await worker.ended;
  assert.equal(code, 0, stdout);
  const lines = jsonLines(stdout);
  assert.equal(lines.filter(({ event }) => event === "traces-failing").length, 1);
  assert.equal(lines.filter(({ msg }) => msg === "stopped").length, 1);
  assert.ok(!lines.some(({ msg }) => /SHUTDOWN_TIMEOUT_MS/.test(String(msg))));
});

test("an address where nothing listens, a port for gRPC, and a protocol that is not spoken, are lines of the log", async (t) => {
  const grpc = createHttp2Server().listen(0, "127.0.0.1");
  await new Promise((resolve) => grpc.once("listening", resolve));
  const { port } = grpc.address() as AddressInfo;
  const { worker: environment } = await place(t, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
  await emit(environment, eventOf());
  const wrong = startCli(["start"], environment);
  t.after(() => wrong.child.kill("SIGKILL"));
  const { msg } = JSON.parse(await wrong.line(/"event":"traces-failing"/));
  assert.match(msg, /gRPC.*export OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:4318$/);
  wrong.child.kill("SIGTERM");
  assert.equal((await wrong.ended).code, 0);
  await new Promise((resolve) => grpc.close(resolve));
  await emit(environment, eventOf({ id: "e-2" }));
  const refused = startCli(["start"], environment);
  t.after(() => refused.child.kill("SIGKILL"));
  await refused.line(/"event":"traces-failing".*ECONNREFUSED/);
  refused.child.kill("SIGTERM");
  assert.equal((await refused.ended).code, 0);
  const other = startCli(["start"], { ...environment, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });
  t.after(() => other.child.kill("SIGKILL"));
  await other.line(/"code":"traces-settings".*OTEL_EXPORTER_OTLP_PROTOCOL/);
  await other.line(/"msg":"working on /);
  other.child.kill("SIGTERM");
  assert.equal((await other.ended).code, 0);
});
