/** What `doctor` says of how Graph keeps values, from a log that is there and the lists that it was handed. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bytes, documentedDetails, sampleEvent, tenantId } from "../../lab/testkit/samples.ts";
import { checkForms } from "../../src/cli/doctor/form-check.ts";
import { systemClock } from "../../src/clock.ts";
import { openLog } from "../../src/compose.ts";
import { loadSettings } from "../../src/config/load.ts";
import { decode } from "../../src/domain/decode.ts";
import { identify } from "../../src/domain/identity.ts";
import { registeredRecord } from "../../src/domain/registered.ts";
import type { GraphObject } from "../../src/graph-port.ts";
import { temporaryDirectory } from "./run-cli.ts";

const sent = {
  ...documentedDetails,
  machineName: "HOST ",
  connectorName: "Connector",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
};
const changed = { ...sent, machineName: "HOST", enrollmentDateTime: "2017-01-01T07:57:59Z" };

interface Case {
  readonly id?: string;
  /** What Graph answered to the create, and what its list shows. */
  readonly answered: Omit<GraphObject, "id">;
  readonly listed: Omit<GraphObject, "id">;
  /** Null: its enrolled record is another one by now. */
  readonly enrolled?: typeof sent | null;
}

async function told(t: TestContext, cases: readonly Case[], others: readonly GraphObject[] = []) {
  const loaded = loadSettings({ environment: { DATA_DIR: temporaryDirectory(t) }, groups: ["log"] });
  assert.ok(loaded.ok);
  const { settings } = loaded as { settings: Parameters<typeof openLog>[0] };
  const opening = await openLog(settings, systemClock);
  assert.ok(opening.ok);
  const { log } = opening;
  const objects: GraphObject[] = [...others];
  for (const [offset, { id = `object-${offset}`, answered, listed, enrolled = sent }] of cases.entries()) {
    const own = { connectorVersion: `${offset}`, connectorName: `${sent.connectorName} ${offset}` };
    const value = (data: object) => bytes(JSON.stringify({ ...sampleEvent, data }));
    const record = value({ ...(enrolled ?? { ...sent, machineName: "ANOTHER" }), ...own });
    const empty = { key: null, headers: [] };
    await log.append([{ topic: "enrolled", partition: 0, ...empty, value: record }]);
    const decoded = decode({ value: value({ ...sent, ...own }), headers: [] }, () => true);
    assert.ok(decoded.ok);
    await log.append([
      registeredRecord(0, {
        enrollment: decoded.enrollment,
        idempotencyKey: identify(tenantId, decoded.enrollment.details)!.idempotencyKey,
        object: { id, ...answered, ...own },
        outcome: "created",
        attempts: 1,
        graph: { requestId: null, status: 201, cloud: "global" },
        source: { topic: "enrolled", partition: 0, offset },
        enrolledAt: 0,
        registeredAt: 0,
      }),
    ]);
    objects.push({ id, ...listed, ...own });
  }
  await log.close();
  const findings = await checkForms(settings, systemClock, new Map([[tenantId, objects]]));
  return findings.map(({ status, text }) => `${status} ${text}`);
}

test("what Graph does to what it is given is shown, from what was enrolled and what the list has", async (t) => {
  const same = { answered: sent, listed: sent };
  const lines = await told(t, [{ answered: changed, listed: changed }, same]);
  assert.deepEqual(lines, [
    "note Graph changes what it is given: date-times come back in whole seconds, date-times come back in UTC, " +
      "names come back trimmed (1 of 2 registered connectors); objects are recognised all the same",
  ]);
});

test("where it changes nothing that is said too", async (t) => {
  assert.deepEqual(await told(t, [{ answered: sent, listed: sent }]), [
    "ok Graph keeps what it is given, by one registered connector",
  ]);
});

test("the enrolled record is gone: only what the list changes on top of the answer can be seen, and that is said", async (t) => {
  const only = await told(t, [{ answered: sent, listed: changed, enrolled: null }]);
  assert.match(only[0]!, /^note Graph changes what it is given: date-times come back in whole seconds/);
  assert.deepEqual(await told(t, [{ answered: changed, listed: changed, enrolled: null }]), [
    "ok Graph keeps what it is given, by one registered connector; of 1 the enrolled record is gone, so only the registered one was compared",
  ]);
});

test("objects of others say nothing, whatever they look like", async (t) => {
  assert.deepEqual(await told(t, [], [{ id: "of-others", ...changed }]), [
    "note whether Graph changes the values that it keeps is not known: nothing registered lately is in its lists",
  ]);
  assert.deepEqual(await told(t, []), []);
});

test("many: the newest twenty of a tenant are looked at", async (t) => {
  const cases = Array.from({ length: 30 }, (_, n) => ({ answered: sent, listed: n < 10 ? changed : sent }));
  assert.deepEqual(await told(t, cases), ["ok Graph keeps what it is given, by 20 registered connectors"]);
});
