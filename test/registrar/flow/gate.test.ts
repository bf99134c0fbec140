/** Who may ask Graph when: the rules at the top of gate.ts, tested with scripted answers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, tailspin } from "../../../lab/testkit/enrollments.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import { createGate } from "../../../src/registrar/flow/gate.ts";

type Health = "well" | "ill" | "neither";

function createWatched() {
  const time = virtualTime();
  const events: RegistrarEvent[] = [];
  const woken: string[] = [];
  /** What every random number is. */
  const drawn = { chance: 0.75 };
  const gate = createGate({
    clock: time,
    random: () => drawn.chance,
    observe: (event) => void events.push(event),
  });
  for (const name of ["creates", "reads"]) gate.onOpening(() => void woken.push(name));
  return {
    time,
    events,
    woken,
    drawn,
    gate,
    /** Requests that begin and are answered immediately. */
    answer(health: Health, ...tenants: readonly string[]) {
      for (const tenant of tenants) {
        gate.begin(tenant);
        gate.end(tenant, health, `${health}, says ${tenant}`);
      }
    },
    isOpen: (tenant: string) => gate.opensAtMs(tenant) <= time.nowMs(),
    /** To the very moment at which this tenant may be asked again. */
    untilOpen: (tenant: string) => time.pass(gate.opensAtMs(tenant) - time.nowMs()),
  };
}

const eightOf = (tenant: string) => Array.from({ length: 8 }, () => tenant);
/** Ill answers of enough tenants to blame Graph, not one of them. */
const outage = [contoso, fabrikam, tailspin, contoso, fabrikam, tailspin, contoso, fabrikam];

describe("while all is well", () => {
  test("any number of requests may be under way, and nothing is said", () => {
    const { gate, answer, isOpen, events, woken } = createWatched();
    for (let n = 0; n < 5; n++) gate.begin(contoso);
    assert.ok(isOpen(contoso) && isOpen(fabrikam));
    assert.deepEqual(
      [gate.isProbed(contoso), gate.isSuspected(contoso), gate.state()],
      [false, false, "closed"],
    );
    answer("well", contoso);
    assert.deepEqual([events, woken], [[], ["creates", "reads"]]);
  });
});

describe("a tenant whose answers were ill", () => {
  test("waits, then is asked one request at a time; others are asked as ever", async () => {
    const { gate, answer, isOpen, untilOpen } = createWatched();
    gate.begin(fabrikam);
    answer("ill", ...eightOf(contoso));
    assert.ok(!isOpen(contoso) && Number.isFinite(gate.opensAtMs(contoso)) && isOpen(fabrikam));
    await untilOpen(contoso);
    assert.ok(isOpen(contoso) && gate.isProbed(contoso) && !gate.isProbed(fabrikam));
    gate.begin(contoso);
    assert.equal(gate.opensAtMs(contoso), Number.POSITIVE_INFINITY);
    assert.ok(isOpen(fabrikam));
    gate.end(contoso, "neither", "");
    assert.ok(isOpen(contoso));
  });

  test("is not asked while any of several requests from before is under way", async () => {
    const { gate, answer, isOpen, untilOpen } = createWatched();
    gate.begin(contoso);
    gate.begin(contoso);
    answer("ill", ...eightOf(contoso));
    await untilOpen(contoso);
    gate.end(contoso, "neither", "");
    assert.equal(gate.opensAtMs(contoso), Number.POSITIVE_INFINITY);
    gate.end(contoso, "neither", "");
    assert.ok(isOpen(contoso));
  });
});

describe("an outage", () => {
  test("holds all tenants, then lets one request at a time through, of any tenant", async () => {
    const { gate, answer, isOpen, untilOpen } = createWatched();
    answer("ill", ...outage);
    const other = "44444444-4444-4444-8444-444444444444";
    assert.ok(!isOpen(contoso) && !isOpen(other));
    assert.equal(gate.state(), "open");
    await untilOpen(other);
    assert.ok(isOpen(other) && gate.isProbed(other) && gate.state() === "probing");
    assert.ok(gate.isSuspected(contoso) && !gate.isSuspected(other));
    gate.begin(other);
    assert.equal(gate.opensAtMs(contoso), Number.POSITIVE_INFINITY);
    gate.end(other, "neither", "");
    assert.ok(isOpen(contoso));
  });

  test("is reported once when it begins, with what was answered, and once when it is over", async () => {
    const { gate, answer, untilOpen, events } = createWatched();
    answer("ill", ...outage);
    await untilOpen(contoso);
    answer("ill", contoso);
    await untilOpen(contoso);
    answer("well", contoso);
    answer("well", fabrikam);
    assert.deepEqual(events, [
      { kind: "breaker-opened", detail: `ill, says ${fabrikam}` },
      { kind: "breaker-closed" },
    ]);
    assert.equal(gate.state(), "closed");
  });
});

describe("a read that was answered well", () => {
  for (const [given, createsWait, then] of [
    ["while creates wait, it proves nothing", true, "probing"],
    ["when no create waits, it ends the outage", false, "closed"],
  ] as const)
    test(given, async () => {
      const { gate, answer, untilOpen } = createWatched();
      gate.setCreatesWait((isOfIt) => createsWait && isOfIt(contoso) && isOfIt(tailspin));
      answer("ill", ...outage);
      await untilOpen(contoso);
      gate.begin(contoso);
      gate.endRead(contoso, "well", "");
      assert.equal(gate.state(), then);
    });

  test("counts where nothing is known of creates", async () => {
    const { gate, answer, untilOpen } = createWatched();
    answer("ill", ...outage);
    await untilOpen(contoso);
    gate.begin(contoso);
    gate.endRead(contoso, "well", "");
    assert.equal(gate.state(), "closed");
  });

  test("one that was answered ill counts, also while creates wait", () => {
    const { gate, events } = createWatched();
    gate.setCreatesWait(() => true);
    for (const tenant of outage) {
      gate.begin(tenant);
      gate.endRead(tenant, "ill", "down");
    }
    assert.deepEqual(events, [{ kind: "breaker-opened", detail: "down" }]);
  });
});

describe("those who wait", () => {
  test("are called once when the time to wait is over, whatever number of answers came meanwhile", async () => {
    const { gate, answer, time, woken } = createWatched();
    gate.begin(contoso);
    answer("ill", ...eightOf(contoso));
    answer("neither", contoso, contoso);
    woken.length = 0;
    const waitMs = gate.opensAtMs(contoso) - time.nowMs();
    await time.pass(waitMs - 1);
    assert.deepEqual(woken, []);
    await time.pass(1);
    assert.deepEqual(woken, ["creates", "reads"]);
    // The last answer from before comes just now: there is nothing more to wait for.
    gate.end(contoso, "neither", "");
    await time.pass(60_000);
    assert.equal(woken.length, 4);
  });

  test("are called again when the next time to wait is over", async () => {
    const { answer, untilOpen, woken } = createWatched();
    answer("ill", ...eightOf(contoso));
    await untilOpen(contoso);
    answer("ill", contoso);
    woken.length = 0;
    await untilOpen(contoso);
    assert.deepEqual(woken, ["creates", "reads"]);
  });

  for (const [chance, order] of [
    [0.49, ["reads", "creates"]],
    [0.5, ["creates", "reads"]],
  ] as const)
    test(`chance says who has the next probe: ${chance}`, async () => {
      const watched = createWatched();
      watched.answer("ill", ...outage);
      await watched.untilOpen(contoso);
      watched.woken.length = 0;
      watched.drawn.chance = chance;
      watched.answer("neither", contoso);
      assert.deepEqual(watched.woken, order);
    });

  test("no chance decides while nothing is probed: creates go first", () => {
    const watched = createWatched();
    watched.drawn.chance = 0;
    watched.answer("ill", contoso);
    assert.deepEqual(watched.woken, ["creates", "reads"]);
  });
});
