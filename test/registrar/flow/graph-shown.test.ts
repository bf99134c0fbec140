/** What Graph has shown by what it made for us: the rules at the top of graph-shown.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { detailsOf, keyOf, objectOf } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import { createCloudsShown } from "../../../src/registrar/flow/graph-shown.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { stageOf } from "../life.ts";

/** Tenants are named by their cloud: "a1", "b2". */
function given(clouds: readonly string[] = ["a"], sendId = true) {
  const events: RegistrarEvent[] = [];
  const tenants = { ...settings.tenants, cloudOf: (id: string) => id.slice(0, 1), clouds: () => clouds };
  const shown = createCloudsShown((event) => void events.push(event), { ...settings, sendId, tenants });
  const work = ({ withoutId = false } = {}): Work => {
    const stage = stageOf("posting", { past: { withoutId } });
    return { enrollment: { details: detailsOf({}) }, idempotencyKey: keyOf({}), stage } as unknown as Work;
  };
  /** Of the tenant's cloud. */
  const known = (tenantId: string | null) => {
    const { route, ids, honoursIds } = shown.of(tenantId).known.shown;
    return { route, ids, honoursIds };
  };
  return { shown, events, work, known };
}
const own = objectOf({}, keyOf({}));
const another = objectOf({}, "of-its-own");
const nothing = { route: false, ids: false, honoursIds: false };

test("what only a list shows may have been made by others: it shows nothing", () => {
  const { shown, work, known, events } = given();
  const { form } = shown.of("a1").form;
  const cut = { ...own, enrollmentDateTime: "2017-01-01T07:57:59Z" };
  shown.of("a1").learn(work(), cut, "read-back");
  assert.deepEqual([known("a1"), shown.of("a1").form.form, events], [nothing, form, []]);
  assert.equal(shown.honoursIds(), false);
  shown.of("a1").learn(work(), cut, "created");
  assert.deepEqual(
    events.map((event) => event.kind === "graph-normalises" && event.what.join()),
    ["seconds,utc"],
  );
});

test("an object under the id that was sent, in whatever case, shows that ids are honoured", () => {
  for (const id of [keyOf({}), keyOf({}).toUpperCase()]) {
    const { shown, work, known } = given();
    shown.of("a1").learn(work(), { ...own, id }, "created");
    assert.deepEqual(known("a1"), { route: true, ids: true, honoursIds: true });
    assert.equal(shown.honoursIds(), true);
  }
});

// INV-READ-BACK
test("once an id was ignored, no other answer makes up for it", () => {
  const { shown, work, known } = given();
  for (const object of [own, another, own]) shown.of("a1").learn(work(), object, "created");
  assert.deepEqual(known("a1"), { route: true, ids: true, honoursIds: false });
});

test("a 409 shows that ids are taken, and what was posted without one shows the route alone", () => {
  const { shown, work, known } = given();
  shown.of("a1").learn(work({ withoutId: true }), another, "created");
  assert.deepEqual(known("a1"), { ...nothing, route: true });
  shown.of("a1").learn(work(), another, "conflict");
  assert.deepEqual(known("a1"), { route: true, ids: true, honoursIds: false });
  shown.of("a1").learn(work(), own, "created");
  assert.equal(known("a1").honoursIds, true, "what stood there before does not say that an id was ignored");
});

test("where no ids are sent, none are shown to be taken", () => {
  const { shown, work, known } = given(["a"], false);
  shown.of("a1").learn(work(), another, "created");
  assert.deepEqual(known("a1"), { ...nothing, route: true });
});

// INV-READ-BACK
test("each cloud shows for itself what it does with ids; any one shows the route", () => {
  const { shown, work, known } = given(["a", "b"]);
  shown.of("a1").learn(work(), own, "created");
  assert.deepEqual(known("a2"), { route: true, ids: true, honoursIds: true });
  assert.deepEqual(known("b1"), { ...nothing, route: true });
  assert.deepEqual(known(null), { ...nothing, route: true });
  assert.equal(shown.honoursIds(), false, "b has shown nothing");
  shown.of("b1").learn(work(), own, "created");
  assert.equal(shown.honoursIds(), true);
  shown.of("c1").learn(work(), another, "created");
  assert.equal(shown.honoursIds(), false, "records went to c, though no tenant is in it any more");
});

test("commits say it only once every cloud with tenants has been asked at all", () => {
  const { shown, work } = given(["a", "b"]);
  assert.equal(shown.honoursIds(), false);
  shown.of("a1").learn(work(), own, "created");
  assert.equal(shown.honoursIds(), false);
});
