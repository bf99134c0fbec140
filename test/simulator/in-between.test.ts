/** Answers that hide what was done: of proxies and portals, and of a `$batch`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Faults, faultProfile } from "../../src/simulator/faults.ts";
import { collection, example, simulatorFor, tenantA } from "./support.ts";

const only = (fault: keyof Faults): Faults => ({ ...faultProfile("none"), [fault]: 1 });

test("something in between answers: with Graph behind it or not", async (t) => {
  const { as, simulator } = await simulatorFor(t, {}, "http");
  const send = await as(tenantA);
  for (const [fault, status, objects] of [
    ["portal", 200, 0],
    ["redirect", 302, 0],
    ["htmlBefore", 400, 0],
    ["htmlAfter", 400, 1],
  ] as const) {
    simulator.setFaults(only(fault));
    const answer = await send("POST", collection, { ...example, machineName: fault });
    assert.deepEqual([answer.status, answer.json], [status, undefined]);
    assert.match(answer.text, /^<!DOCTYPE html>/);
    assert.equal((simulator.inventory()[tenantA] ?? []).length, objects, fault);
  }
});

test("items of a batch may be carried out behind a 429, a whole batch may be refused", async (t) => {
  const { as, simulator } = await simulatorFor(t, {}, "http");
  const send = await as(tenantA);
  const item = {
    id: "1",
    method: "POST",
    url: "/deviceManagement/certificateConnectorDetails",
    headers: { "Content-Type": "application/json" },
    body: example,
  };
  simulator.setFaults(only("throttledItemAfter"));
  const { json } = await send("POST", "/beta/$batch", { requests: [item] });
  assert.equal(json.responses[0].status, 429);
  assert.equal(simulator.inventory()[tenantA]!.length, 1);
  simulator.setFaults(only("batchRefused"));
  assert.equal((await send("POST", "/beta/$batch", { requests: [item] })).status, 400);
  assert.equal(simulator.inventory()[tenantA]!.length, 1);
});
