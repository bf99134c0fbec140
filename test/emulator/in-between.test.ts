/** Answers that hide what was done: of proxies and portals, and of a `$batch`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Faults, faultProfile } from "../../emulator/faults.ts";
import { collection, emulatorFor, example, tenantA } from "./support.ts";

const only = (fault: keyof Faults): Faults => ({ ...faultProfile("none"), [fault]: 1 });

test("something in between answers: with Graph behind it or not", async (t) => {
  const { as, emulator } = await emulatorFor(t, {}, "http");
  const send = await as(tenantA);
  for (const [fault, status, objects] of [
    ["portal", 200, 0],
    ["redirect", 302, 0],
    ["htmlBefore", 400, 0],
    ["htmlAfter", 400, 1],
  ] as const) {
    emulator.setFaults(only(fault));
    const answer = await send("POST", collection, { ...example, machineName: fault });
    assert.deepEqual([answer.status, answer.json], [status, undefined]);
    assert.match(answer.text, /^<!DOCTYPE html>/);
    assert.equal((emulator.inventory()[tenantA] ?? []).length, objects, fault);
  }
});

test("items of a batch may be carried out behind a 429, a whole batch may be refused", async (t) => {
  const { as, emulator } = await emulatorFor(t, {}, "http");
  const send = await as(tenantA);
  const item = {
    id: "1",
    method: "POST",
    url: "/deviceManagement/certificateConnectorDetails",
    headers: { "Content-Type": "application/json" },
    body: example,
  };
  emulator.setFaults(only("throttledItemAfter"));
  const { json } = await send("POST", "/beta/$batch", { requests: [item] });
  assert.equal(json.responses[0].status, 429);
  assert.equal(emulator.inventory()[tenantA]!.length, 1);
  emulator.setFaults(only("batchRefused"));
  assert.equal((await send("POST", "/beta/$batch", { requests: [item] })).status, 400);
  assert.equal(emulator.inventory()[tenantA]!.length, 1);
});
