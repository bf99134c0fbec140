/** The examples for installers: what they emit is a valid enrollment, in its tenant's home partition. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { obtainJars } from "../../lab/testkit/broker-jars.ts";
import { decode } from "../../src/domain/decode.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import type { LogRecord } from "../../src/ports.ts";
import { openHarness, skip as skipKafka } from "../log/kafka/harness.ts";
import { python, skipWithoutPython } from "../support/python.ts";

const examples = join(import.meta.dirname, "../../examples");
const partitionCount = 8;
/** In upper case, as people copy it. */
const tenant = "7C3F1A52-9B0E-4D68-8E21-5A4B3C2D1E0F";
const home = homePartition(tenant.toLowerCase(), partitionCount);

const lacks = (...programs: readonly string[]): string | false => {
  const missing = programs.filter((name) => spawnSync("which", [name]).status !== 0);
  return missing.length === 0 ? false : `not on the PATH: ${missing.join(", ")}`;
};

async function emitted(t: TestContext, command: readonly string[]): Promise<LogRecord[]> {
  const { log, settings, close } = await openHarness(t, { partitionCount });
  t.after(close);
  const environment = {
    ...{ KAFKA_BROKERS: settings.brokers.join(","), KAFKA_TOPIC_PREFIX: settings.topicPrefix },
    ...{
      TENANT_ID: tenant,
      MACHINE_NAME: "SRV-1",
      CONNECTOR_NAME: "Connector 1",
      PATH: process.env.PATH ?? "",
    },
  };
  const [program, ...args] = command;
  await promisify(execFile)(program!, args, { env: environment });
  const found: LogRecord[] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const { signal } = new AbortController();
    const scanned = await log.scan("enrolled", partition, 0, (records) => found.push(...records), signal);
    assert.ok(scanned.ok);
  }
  return found;
}

const java = await obtainJars();
const classPath = java.ok ? join(java.directory, "*") : "";

for (const [language, command, skip] of [
  ["Python", [python, join(examples, "python/emit.py")], skipWithoutPython("confluent_kafka")],
  ["Java", ["java", "-cp", classPath, join(examples, "java/Emit.java")], java.ok ? false : java.reason],
  ["kcat", [join(examples, "kcat/emit.sh")], lacks("kcat", "bash")],
] as const) {
  test(`${language}: one valid enrollment, in its tenant's home partition`, {
    skip: skipKafka || skip,
    timeout: 120_000,
  }, async (t) => {
    const records = await emitted(t, command);
    assert.equal(records.length, 1);
    const [record] = records;
    assert.equal(record!.partition, home);
    assert.equal(Buffer.from(record!.key!).toString(), tenant.toLowerCase());
    const decoded = decode(record!, (id) => id === tenant.toLowerCase());
    assert.ok(decoded.ok, JSON.stringify(decoded));
    const { machineName, connectorName, enrollmentDateTime } = decoded.enrollment.details;
    assert.deepEqual([machineName, connectorName], ["SRV-1", "Connector 1"]);
    assert.match(enrollmentDateTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,7}(Z|\+00:00)$/);
  });
}
