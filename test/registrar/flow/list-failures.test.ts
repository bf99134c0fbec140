/** A tenant's list that fails: how long until the next one, what is said, and what its records learn of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso } from "../../../lab/testkit/enrollments.ts";
import { answers, silence } from "../../../lab/testkit/scripted-graph.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { ListReply } from "../../../src/graph-port.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import { createListFailures, type ListingTenant } from "../../../src/registrar/flow/list-failures.ts";
import type { Stage } from "../../../src/registrar/intake/stage.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { stageOf } from "../life.ts";

/** Half of each ceiling is drawn: 750 ms after the first failure, 1,250 after the second. */
function given({ closedForMs = 0, blockedForMs = 0 } = {}) {
  const time = virtualTime();
  const events: RegistrarEvent[] = [];
  const told: string[] = [];
  const blocked: string[] = [];
  const served = { count: 0 };
  const works = (["reading-back", "queued", "reading-back"] as const).map((at: Stage["at"], n) => {
    return { lane: `${n}`, stage: stageOf(at) } as unknown as Work;
  });
  const tenant: ListingTenant = { tenantId: contoso, works: new Set(works), failing: null };
  const observe = (event: RegistrarEvent) => void events.push(event);
  const failures = createListFailures(
    {
      ports: { clock: time, random: () => 0.5, observe } as never,
      raise: ({ lane, stage }, event) => {
        assert.equal(stage.at, "reading-back");
        told.push(event.kind === "unreadable" ? `${lane} ${event.detail} ${event.waitedMs}` : event.kind);
      },
    },
    {
      block: (...what) => void blocked.push(what.join(" ")),
      blockedForMs: () => blockedForMs,
      closedUntilMs: () => time.nowMs() + closedForMs,
      createsOfAll: () => served.count,
    },
  );
  const fail = (reply: ListReply, isRefusal = false) =>
    failures.takeIn(tenant, reply, { detail: "why", isRefusal });
  return { time, events, told, blocked, served, tenant, fail };
}
const notWhole: ListReply = { kind: "listed", objects: [], incomplete: "a page is missing" };
const timeout = silence("timeout", true);

test("it is asked for again with back-off, and each failure is said with that", () => {
  const { fail, events, blocked } = given({ closedForMs: 60_000 });
  assert.deepEqual([fail(timeout), fail(timeout)], [750, 1_250]);
  assert.deepEqual(
    events,
    [750, 1_250].map((retryInMs, n) => {
      return { kind: "read-back-failed", tenantId: contoso, detail: "why", failures: n + 1, retryInMs };
    }),
  );
  assert.deepEqual(blocked, []);
});

test("after as long as the answer asks for, where it says that", () => {
  const { fail } = given();
  assert.equal(fail(answers(503, { retryAfter: "7" }).reply), 7_000);
  assert.equal(fail(answers(503, { retryAfter: "0" }).reply), 0);
  assert.equal(fail(answers(503, { retryAfter: "soon" }).reply), 2_250, "it is no time");
  assert.equal(fail(answers(503).reply), 4_250);
});

// INV-ISOLATION
test("one that is refused blocks its tenant's reads, and is asked for again when the tenant is, at the soonest", () => {
  const refused = answers(403, { retryAfter: "1" }).reply;
  const long = given({ closedForMs: 60_000 });
  assert.equal(long.fail(refused, true), 60_000);
  assert.deepEqual(long.blocked, [`${contoso} reads why`]);
  assert.equal(given({ closedForMs: 100 }).fail(refused, true), 750);
});

// INV-ATTEMPTS
test("records that are read back learn for how long their tenant's lists have failed, or it has been blocked", async () => {
  const { time, fail, told } = given({ blockedForMs: 5_000 });
  fail(notWhole);
  await time.pass(4_000);
  fail(notWhole);
  await time.pass(4_000);
  fail(timeout, true);
  assert.deepEqual(
    told,
    [5_000, 5_000, 8_000].flatMap((ms) => [`0 why ${ms}`, `2 why ${ms}`]),
  );
});

// INV-ATTEMPTS
test("while none is served it may be an outage, of which no record learns; time counts once others are", async () => {
  const { time, fail, told, served, tenant } = given();
  fail(timeout);
  await time.pass(4_000);
  fail(timeout);
  assert.deepEqual([told, tenant.failing?.inARow], [[], 2]);
  served.count = 1;
  await time.pass(3_000);
  fail(timeout);
  assert.deepEqual(told, ["0 why 3000", "2 why 3000"]);
});
