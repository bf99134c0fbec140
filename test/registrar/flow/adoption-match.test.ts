/** Which objects of one list are whose: the rules at the top of adoption.ts, asked directly. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, detailsOf, type Enrolling, keyOf } from "../../../lab/testkit/enrollments.ts";
import { exactForm, type Form } from "../../../src/domain/same-enrollment.ts";
import type { GraphObject } from "../../../src/graph-port.ts";
import type { Session } from "../../../src/ports.ts";
import { matchAll } from "../../../src/registrar/flow/adoption.ts";
import type { Stage } from "../../../src/registrar/intake/stage.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { stageOf } from "../life.ts";

/** All of one machine and within one second, so that Graph's form of them is the same. */
const at = (digits: string) => `2017-01-01T07:57:59.${digits}Z`;
const kept = (id: string, enrollmentDateTime = "2017-01-01T07:57:59Z"): GraphObject => {
  return { id, ...detailsOf({}), enrollmentDateTime };
};
const cut = { unitTicks: 10_000_000, trims: true, folds: true };
const reading = stageOf("reading-back");
const publishing = (graphId: string): Stage => {
  return { at: "publishing", outcome: "registered", graphId, doubt: null, attempts: 1, ...never };
};
const never = { postedAt: null, past: reading.past };

/** Works of contoso in the order given; those that are read back are looked up in the list. Ids of what each gets. */
function matched(
  works: readonly (readonly [Enrolling, Stage])[],
  objects: readonly GraphObject[],
  shown: Form = cut,
) {
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  const all = works.map(([enrolling, stage]) => {
    const enrollment = { tenantId: contoso, details: detailsOf(enrolling) };
    return { partition, stage, enrollment, idempotencyKey: keyOf(enrolling) } as unknown as Work;
  });
  partition.tenants.set(contoso, new Set(all));
  const due = all.filter(({ stage }) => stage.at === "reading-back");
  const matches = matchAll({ tenantId: contoso, due, objects, shown });
  return due.map((work) => {
    const match = matches.get(work);
    return match?.kind === "found" ? match.objects.map(({ id }) => id).join() : match?.kind;
  });
}

// INV-ADOPTION
test("an id that is being registered for another is claimed, in whatever case it is written", () => {
  const other = { at: at("5") };
  for (const [claimed, listed] of [
    ["Made-1", "Made-1"],
    ["made-1", "MADE-1"],
    ["MADE-1", "made-1"],
  ] as const)
    assert.deepEqual(
      matched(
        [
          [{ at: at("1") }, reading],
          [other, publishing(claimed)],
        ],
        [kept(listed)],
      ),
      ["none"],
    );
});

// INV-ADOPTION
test("what the first of several gets is claimed: no other gets it, in whatever case its id is written", () => {
  for (const id of ["made-1", "MADE-1"])
    assert.deepEqual(
      matched(
        [
          [{ at: at("1") }, reading],
          [{ at: at("2") }, reading],
        ],
        [kept(id)],
      ),
      [id, "none"],
    );
});

test("what equals another in work exactly leaves nothing to wait for: it counts as missing", () => {
  const exact = { at: "2017-01-01T07:57:59Z" };
  assert.deepEqual(
    matched(
      [
        [{ at: at("1") }, reading],
        [exact, stageOf("queued")],
      ],
      [kept("theirs")],
    ),
    ["none"],
  );
});

test("several objects, and one of the others that could be is in doubt too: each in doubt gets one", () => {
  assert.deepEqual(
    matched(
      [
        [{ at: at("1") }, reading],
        [{ at: at("2") }, reading],
        [{ at: at("3") }, stageOf("queued")],
      ],
      [kept("two"), kept("one")],
    ),
    ["one", "two"],
  );
});

test("several objects, and the other in doubt could be none of them: all are of the one that could", () => {
  assert.deepEqual(
    matched(
      [
        [{ at: at("1") }, reading],
        [{ at: "2017-01-01T07:58:30.1Z" }, reading],
      ],
      [kept("two"), kept("one")],
    ),
    ["one,two", "none"],
  );
});

test("an object under the id of one in work shows what Graph keeps, in whatever case the id is written", () => {
  const fine = { at: "2017-01-01T08:00:00.1234567Z" };
  for (const id of [keyOf(fine), keyOf(fine).toUpperCase()])
    assert.deepEqual(
      matched(
        [
          [{ at: at("1") }, reading],
          [fine, stageOf("queued")],
        ],
        [kept("theirs"), { ...kept(id), enrollmentDateTime: fine.at }],
        exactForm,
      ),
      ["none"],
    );
});
