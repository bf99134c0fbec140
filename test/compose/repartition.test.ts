import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { openForRepartition } from "../../src/compose.ts";
import { loadSettings } from "../../src/config/load.ts";

test("event hubs are not repartitioned: nothing is connected to, and what to do instead is said", async () => {
  // A closed port: an attempt to connect would be tried again.
  const loaded = loadSettings({ environment: { KAFKA_BROKERS: "127.0.0.1:1", KAFKA_FLAVOR: "event-hubs" } });
  assert.ok(loaded.ok);
  const opened = await openForRepartition(loaded.settings, ["127.0.0.1:1"], systemClock);
  assert.ok(!opened.ok);
  assert.deepEqual([opened.problem.code, opened.retryable], ["repartition-not-there", false]);
  assert.match(opened.problem.fix, /event-hubs\.bicep/);
});
