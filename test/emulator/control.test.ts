import assert from "node:assert/strict";
import { test } from "node:test";
import { faultProfile } from "../../emulator/faults.ts";
import { documentedLimits } from "../../emulator/throttle.ts";
import { collection, emulatorFor, example, tenantA, tenantB } from "./support.ts";

test("the inventory is what the tenants hold; a reset empties it", async (t) => {
  const { as, send } = await emulatorFor(t, {}, "http");
  const sendA = await as(tenantA);
  const sendB = await as(tenantB);
  const { json: object } = await sendA("POST", collection, example);
  await sendB("POST", collection, example);
  const inventory = (await send("GET", "/_control/inventory")).json;
  const { "@odata.type": _, ...details } = example;
  assert.deepEqual(inventory[tenantA], [{ id: object.id, ...details }]);
  assert.equal(inventory[tenantB].length, 1);
  await send("POST", "/_control/reset");
  assert.deepEqual((await send("GET", "/_control/inventory")).json, {});
  assert.equal((await send("GET", "/_control/stats")).json.createdCount, 0);
});

test("stats count requests by operation and status, batch items apart, and duplicates by enrollment", async (t) => {
  const { as, send } = await emulatorFor(t, { behaviour: { idMode: "ignore" } }, "http");
  const sendA = await as(tenantA);
  await sendA("POST", collection, example);
  await sendA("POST", collection, { ...example, enrollmentDateTime: "2017-01-01T07:57:59.3726057Z" });
  await sendA("POST", collection, { ...example, machineName: example.machineName.toUpperCase() });
  await sendA("POST", collection, { ...example, connectorName: "another" });
  await sendA("POST", collection, {});
  const item = { id: "1", method: "GET", url: "/deviceManagement/certificateConnectorDetails" };
  await sendA("POST", "/beta/$batch", { requests: [item, { ...item, id: "2" }] });
  const { json } = await send("GET", "/_control/stats");
  assert.deepEqual(json.requests.create, { 201: 4, 400: 1 });
  assert.deepEqual([json.requests.batch, json.requests["batch-item"]], [{ 200: 1 }, { 200: 2 }]);
  assert.deepEqual([json.createdCount, json.objectCount, json.duplicateObjectCount], [4, 4, 2]);
  assert.equal(json.duplicates[0].ids.length, 3);
});

test("faults are set as a whole, from a profile and what is given on top", async (t) => {
  const { as, send } = await emulatorFor(t, {}, "http");
  const sendA = await as(tenantA);
  await send("PUT", "/_control/faults", { errorBefore: 1 });
  assert.equal((await sendA("GET", collection)).status, 500);
  const { json } = await send("PUT", "/_control/faults", { profile: "flaky", slowMs: 10 });
  assert.deepEqual(json, { ...faultProfile("flaky"), slowMs: 10 });
  assert.deepEqual((await send("GET", "/_control/faults")).json, json);
  await send("PUT", "/_control/faults", {});
  assert.equal((await sendA("GET", collection)).status, 200);
});

test("settings that are not given stay as they are", async (t) => {
  const { as, send } = await emulatorFor(t, {}, "http");
  const sendA = await as(tenantA);
  await send("PUT", "/_control/settings", { idMode: "ignore" });
  const { json } = await send("PUT", "/_control/settings", { throttle: { writesPerAppAndTenant: 1 } });
  assert.equal(json.idMode, "ignore");
  assert.deepEqual(json.throttle, { ...documentedLimits, writesPerAppAndTenant: 1 });
  assert.equal((await sendA("POST", collection, example)).status, 201);
  assert.equal((await sendA("POST", collection, example)).status, 429);
  assert.equal((await send("PUT", "/_control/settings", { throttle: null })).json.throttle, null);
  assert.equal((await sendA("POST", collection, example)).status, 201);
});

test("an outage does not reach the control endpoint", async (t) => {
  const { send } = await emulatorFor(t, {}, "http");
  await send("PUT", "/_control/settings", { outage: "reset" });
  await assert.rejects(send("GET", collection));
  assert.equal((await send("PUT", "/_control/settings", { outage: "none" })).status, 200);
  assert.equal((await send("GET", collection)).status, 401);
});

const refused: [string, string, unknown, RegExp][] = [
  ["faults", "an unknown fault", { gremlins: 1 }, /gremlins/],
  ["faults", "a probability above 1", { throttled: 2 }, /\/throttled/],
  ["faults", "an unknown profile", { profile: "mild" }, /\/profile .*none, flaky, harsh/],
  ["faults", "probabilities that sum to more than 1", { resetBefore: 0.6, errorAfter: 0.6 }, /sum/],
  ["settings", "an unknown setting", { colour: "red" }, /colour/],
  ["settings", "a page size of 0", { pageSize: 0 }, /\/pageSize/],
  ["settings", "an unknown way to normalise", { normalise: ["none"] }, /\/normalise\/0 .*utc, seconds/],
  ["settings", "an unknown form of lists", { listForm: "round" }, /\/listForm .*whole, circle/],
  ["settings", "no JSON", "{", /Not taken/],
];
for (const [path, what, body, message] of refused) {
  test(`PUT ${path} refuses ${what}, and changes nothing`, async (t) => {
    const { send } = await emulatorFor(t, {}, "http");
    const before = (await send("GET", `/_control/${path}`)).text;
    const reply = await send("PUT", `/_control/${path}`, body);
    assert.equal(reply.status, 400);
    assert.match(reply.json.error, message);
    assert.equal((await send("GET", `/_control/${path}`)).text, before);
  });
}

test("an unknown control path says which there are", async (t) => {
  const { send } = await emulatorFor(t, {}, "http");
  const reply = await send("GET", "/_control/nothing");
  assert.equal(reply.status, 404);
  assert.match(reply.json.error, /inventory, stats/);
});
