import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import { createGates } from "../../../src/registrar/flow/gates.ts";

/** Tenants are named by their cloud: "a1", "b2". */
function gatesOf(clouds: readonly string[] = ["a", "b"]) {
  const clock = virtualTime();
  const events: RegistrarEvent[] = [];
  const moved = new Map<string, string>();
  const cloudOf = (tenantId: string) => moved.get(tenantId) ?? tenantId.slice(0, 1);
  const ports = { clock, random: () => 0.5, observe: (event: RegistrarEvent) => void events.push(event) };
  const gates = createGates(ports, { cloudOf, clouds: () => clouds });
  const fail = (...tenantIds: readonly string[]) => {
    for (const tenantId of tenantIds) {
      gates.begin(tenantId);
      gates.end(tenantId, "ill", "no answer");
    }
  };
  return { gates, events, fail, moved, clock };
}
const downOf = (cloud: string) => Array.from({ length: 12 }, (_, n) => `${cloud}${n % 4}`);

suite("a gate for each cloud", () => {
  test("closes for the tenants of a cloud that is down, and for no other", () => {
    const { gates, events, fail, clock } = gatesOf();
    fail(...downOf("b"));
    assert(gates.opensAtMs("b9") > clock.nowMs());
    assert(gates.opensAtMs("a1") <= clock.nowMs());
    assert.equal(gates.isProbed("b9"), true);
    assert.equal(gates.isProbed("a1"), false);
    assert.equal(gates.state(), "open");
    assert.deepEqual(
      events.map((event) => (event.kind === "breaker-opened" ? event.detail : event.kind)),
      ["cloud b: no answer"],
    );
  });

  test("with a single cloud holds all, and names none", () => {
    const { gates, events, fail, clock } = gatesOf(["a"]);
    fail(...downOf("a"));
    assert(gates.opensAtMs("a9") > clock.nowMs());
    assert.deepEqual(
      events.map((event) => (event.kind === "breaker-opened" ? event.detail : event.kind)),
      ["no answer"],
    );
  });

  test("ends a request where it began, though its tenant is in another cloud meanwhile", () => {
    const { gates, fail, moved, clock } = gatesOf();
    for (const tenantId of downOf("b").slice(0, 11)) fail(tenantId);
    gates.begin("a1");
    moved.set("a1", "b");
    gates.end("a1", "well", "");
    assert(gates.opensAtMs("b9") > clock.nowMs(), "an answer of the other cloud closed its circuit");
    assert(gates.opensAtMs("a1") > clock.nowMs(), "it is asked in its new cloud from now on");
  });

  test("so it does with each of several of a tenant, until the last has ended", () => {
    const { gates, fail, moved, clock } = gatesOf(["a", "b"]);
    for (const tenantId of downOf("b").slice(0, 11)) fail(tenantId);
    gates.begin("a1");
    gates.begin("a1");
    gates.end("a1", "well", "");
    moved.set("a1", "b");
    assert(gates.opensAtMs("a1") <= clock.nowMs(), "one of its requests is still under way in its old cloud");
    gates.end("a1", "well", "");
    assert(gates.opensAtMs("b9") > clock.nowMs(), "an answer of the other cloud closed its circuit");
    assert(gates.opensAtMs("a1") > clock.nowMs(), "it is asked in its new cloud from now on");
  });

  test("calls those who come after it was made, too", () => {
    const { gates, fail } = gatesOf();
    const called: string[] = [];
    gates.onOpening((tenantId) => called.push(`before ${tenantId}`));
    fail("a1");
    gates.onOpening((tenantId) => called.push(`after ${tenantId}`));
    fail("a2", "b1");
    assert.deepEqual(called, ["before a1", "before a2", "after a2", "before b1", "after b1"]);
  });

  test("asks each gate's creates apart: a read that is well proves nothing while creates of its cloud wait", () => {
    const { gates, fail } = gatesOf();
    const asked: boolean[][] = [];
    gates.setCreatesWait((isOfIt) => {
      asked.push([isOfIt("a1"), isOfIt("b1")]);
      return isOfIt("b1");
    });
    fail(...downOf("a"), ...downOf("b"));
    for (const tenantId of ["a1", "b1"]) {
      gates.begin(tenantId);
      gates.endRead(tenantId, "well", "");
    }
    assert.deepEqual(asked, [
      [true, false],
      [false, true],
    ]);
    assert.equal(gates.isProbed("a9"), false, "a read that was well ends the outage of a");
    assert.equal(gates.isProbed("b9"), true, "creates of b wait, so a read of it does not");
  });

  test("opens one for a cloud that comes later, which starts closed to no one and tells who waits as the others do", () => {
    const { gates, fail, moved, clock } = gatesOf();
    const woken: string[] = [];
    const asked: string[] = [];
    gates.onOpening((tenantId) => woken.push(tenantId));
    gates.setCreatesWait((isOfIt) => {
      asked.push(["a1", "b1"].filter(isOfIt).join());
      return true;
    });
    fail(...downOf("a"));
    moved.set("a2", "b");
    assert(gates.opensAtMs("a2") <= clock.nowMs(), "it is in the new cloud now");
    woken.length = 0;
    gates.begin("b1");
    gates.endRead("b1", "well", "");
    assert.deepEqual([woken, asked.at(-1)], [["b1"], "b1"]);
    assert.equal(gates.state(), "open", "the other one is still down");
  });

  test("lets one probe at a time through, and a read is one: it ends the outage where nothing is known of creates", async () => {
    const { gates, fail, clock } = gatesOf();
    fail(...downOf("a"));
    await clock.pass(gates.opensAtMs("a9") - clock.nowMs());
    assert(gates.opensAtMs("a9") <= clock.nowMs());
    gates.begin("a1");
    assert.equal(gates.opensAtMs("a9"), Number.POSITIVE_INFINITY);
    gates.endRead("a1", "well", "");
    assert(gates.opensAtMs("a9") <= clock.nowMs());
    assert.deepEqual([gates.state(), gates.isProbed("a9")], ["closed", false]);
  });

  test("reports the worst of them: one that is open, then one that is probed", async () => {
    const { gates, fail, clock } = gatesOf(["a", "b", "c"]);
    assert.equal(gates.state(), "closed");
    fail("a1", ...downOf("b"));
    assert.equal(gates.state(), "open");
    await clock.pass(gates.opensAtMs("b9") - clock.nowMs());
    assert.equal(gates.state(), "probing");
    fail(...downOf("c"));
    assert.equal(gates.state(), "open");
  });

  test("wakes who waits, whichever of them opens", () => {
    const { gates, fail } = gatesOf();
    const woken: string[] = [];
    gates.onOpening((tenantId) => woken.push(tenantId));
    fail("a1", "b1");
    assert.deepEqual(woken, ["a1", "b1"]);
  });
});
