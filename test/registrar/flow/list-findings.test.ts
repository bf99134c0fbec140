/** What a list tells each record that it was read for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, detailsOf, type Enrolling, keyOf, objectOf } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Session } from "../../../src/ports.ts";
import type { Core } from "../../../src/registrar/flow/core.ts";
import { createCloudsShown } from "../../../src/registrar/flow/graph-shown.ts";
import type { LifeEvent } from "../../../src/registrar/flow/life-events.ts";
import { type Listed, raiseFindings } from "../../../src/registrar/flow/list-findings.ts";
import type { Stage } from "../../../src/registrar/intake/stage.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { stageOf } from "../life.ts";

function said(event: LifeEvent): string {
  switch (event.kind) {
    case "found":
      return `found ${event.object.id}`;
    case "missed":
      return `missed by ${event.by} ${event.startedMs} ${event.atMs}`;
    case "undecided":
      return `undecided ${event.startedMs}`;
    default:
      return event.kind;
  }
}

/** Records of contoso, in the order given. What is raised, by machine, and what is observed. */
function raisedBy(works: readonly (readonly [Enrolling, Stage["at"]])[], list: Partial<Listed>) {
  const time = virtualTime();
  const events: RegistrarEvent[] = [];
  const raised: string[] = [];
  const observe = (event: RegistrarEvent) => void events.push(event);
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  const all = works.map(([enrolling, at]) => {
    const enrollment = { tenantId: contoso, details: detailsOf(enrolling) };
    return { partition, enrollment, idempotencyKey: keyOf(enrolling), stage: stageOf(at) } as unknown as Work;
  });
  partition.tenants.set(contoso, new Set(all));
  const core = {
    ...{ settings, shown: createCloudsShown(observe, settings), ports: { clock: time, observe } },
    raise({ enrollment: { details } }: Work, event: LifeEvent) {
      raised.push(`${details.machineName} ${said(event)}`);
    },
  } as unknown as Core;
  raiseFindings(core, all, { objects: [], startedMs: 5, isWhole: true, ...list });
  return { raised, events, nowMs: time.nowMs() };
}

test("what the list shows is found, and what it does not is missing, if these are all", () => {
  const works = [
    [{ machine: "A" }, "reading-back"],
    [{ machine: "B" }, "reading-back"],
  ] as const;
  const objects = [objectOf({ machine: "B" }, "b-1")];
  const { raised, events, nowMs } = raisedBy(works, { objects });
  assert.deepEqual(raised, [`A missed by list 5 ${nowMs}`, "B found b-1"]);
  assert.deepEqual(events, []);
  assert.deepEqual(raisedBy(works, { objects, isWhole: false }).raised, ["B found b-1"]);
});

test("what is no longer looked up learns nothing", () => {
  const { raised } = raisedBy(
    [
      [{ machine: "A" }, "parking"],
      [{ machine: "B" }, "reading-back"],
    ],
    { objects: [objectOf({ machine: "A" }), objectOf({ machine: "B" }, "b-1")] },
  );
  assert.deepEqual(raised, ["B found b-1"]);
  assert.deepEqual(raisedBy([[{}, "lost"]], {}).raised, []);
});

test("of several objects the first is registered, and all are reported, in the order of their ids", () => {
  const { raised, events } = raisedBy([[{ machine: "A" }, "reading-back"]], {
    objects: [objectOf({ machine: "A" }, "two"), objectOf({ machine: "A" }, "one")],
  });
  assert.deepEqual(raised, ["A found one"]);
  assert.deepEqual(events, [
    {
      ...{ kind: "duplicate-objects", tenantId: contoso },
      ...{ idempotencyKey: keyOf({ machine: "A" }), ids: ["one", "two"] },
    },
  ]);
});

// INV-ADOPTION
test("while a create under way could have made it, it is undecided, whole list or not", () => {
  for (const isWhole of [true, false]) {
    const { raised } = raisedBy(
      [
        [{ machine: "A " }, "reading-back"],
        [{ machine: " A" }, "posting"],
      ],
      { objects: [objectOf({ machine: "A" }, "made")], isWhole },
    );
    assert.deepEqual(raised, ["A  undecided 5"]);
  }
});
