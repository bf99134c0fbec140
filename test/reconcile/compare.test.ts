import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, documentedDetails, tenantId } from "../../lab/testkit/samples.ts";
import type { GraphObject } from "../../src/graph-port.ts";
import { type ComparedProperty, compare, isEqual } from "../../src/reconcile/compare.ts";
import {
  merge,
  newRegistrations,
  type Registrations,
  takeRecord,
} from "../../src/reconcile/registrations.ts";
import { object, record } from "./registrations.ts";

const nothing: ReadonlySet<ComparedProperty> = new Set();

function registrationsOf(...objects: GraphObject[]): Registrations {
  const registrations = newRegistrations();
  for (const each of objects) takeRecord(registrations, record(each));
  return registrations;
}

const tenantIn = (registrations: Registrations) => registrations.tenants.get(tenantId) ?? new Map();

function compared(registered: GraphObject[], inGraph: GraphObject[], later: GraphObject[] = []) {
  const [before, after] = [registrationsOf(...registered), registrationsOf(...later)];
  return compare({
    tenantId,
    before: tenantIn(before),
    later: tenantIn(after),
    objects: inGraph,
    ignored: nothing,
  });
}

const other = { connectorName: "another connector" };

test("equal: the same ids and properties, date-times in any spelling of their instant", () => {
  const respelled = object("a", { enrollmentDateTime: "2017-01-01T07:57:59.3726057Z" });
  const findings = compared([object("a"), object("b", other)], [object("b", other), respelled]);
  assert.equal(isEqual(findings), true);
  assert.deepEqual([findings.registered, findings.inGraph], [2, 2]);
});

test("missing: the registered id is not in Graph; what else is there of it is orphaned, and never superfluous", () => {
  const findings = compared([object("gone")], [object("x"), object("y")]);
  assert.deepEqual(
    findings.missing.map((each) => each.object.id),
    ["gone"],
  );
  assert.deepEqual(
    findings.orphaned.map((each) => each.object.id),
    ["x", "y"],
  );
  const [duplicated] = findings.duplicated;
  assert.deepEqual([duplicated?.registeredId, duplicated?.superfluousIds], [null, []]);
});

test("orphaned: in Graph, registered under no id; with its key, if it has one", () => {
  const dateless = object("b", { enrollmentDateTime: "never" });
  const findings = compared([], [object("a"), dateless]);
  assert.deepEqual(
    findings.orphaned.map(({ object: { id }, idempotencyKey }) => [id, idempotencyKey !== null]),
    [
      ["a", true],
      ["b", false],
    ],
  );
  assert.equal(findings.duplicated.length, 0);
});

test("duplicated: copies under another spelling of the machine and of the instant are found, the registered one stays", () => {
  const copy = object("copy", {
    machineName: documentedDetails.machineName.toUpperCase(),
    enrollmentDateTime: "2017-01-01T07:57:59.3726057Z",
  });
  const findings = compared([object("kept")], [copy, object("kept"), object("next", other)]);
  assert.deepEqual(
    findings.duplicated.map(({ registeredId, superfluousIds, objects }) => ({
      registeredId,
      superfluousIds,
      ids: objects.map(({ id }) => id),
    })),
    [{ registeredId: "kept", superfluousIds: ["copy"], ids: ["kept", "copy"] }],
  );
  assert.deepEqual(
    findings.orphaned.map((each) => each.object.id),
    ["next"],
  );
});

test("two ids registered under one key: reported, and neither object is superfluous", () => {
  const findings = compared([object("first"), object("second")], [object("first"), object("second")]);
  assert.deepEqual(
    findings.conflicting.map((each) => [each.object.id, each.otherIds]),
    [["first", ["second"]]],
  );
  assert.deepEqual(
    findings.duplicated.map(({ superfluousIds }) => superfluousIds),
    [[]],
  );
  assert.equal(findings.orphaned.length, 0);
});

test("an id that another enrollment is registered under is not superfluous", () => {
  const findings = compared([object("kept"), object("taken", other)], [object("kept"), object("taken")]);
  assert.deepEqual(findings.duplicated[0]?.superfluousIds, []);
  assert.deepEqual(
    findings.differing.map((each) => each.registration.object.id),
    ["taken"],
  );
});

test("differing: each property that differs with both values, unless it may", () => {
  const changed = object("a", { connectorVersion: "2", lastCheckinDateTime: "2020-01-01T00:00:00Z" });
  const findings = compared([object("a")], [changed]);
  assert.deepEqual(findings.differing[0]?.differences, [
    {
      property: "lastCheckinDateTime",
      registered: documentedDetails.lastCheckinDateTime,
      inGraph: "2020-01-01T00:00:00Z",
    },
    { property: "connectorVersion", registered: documentedDetails.connectorVersion, inGraph: "2" },
  ]);
  const ignored = new Set(["connectorVersion", "lastCheckinDateTime"] as const);
  const before = tenantIn(registrationsOf(object("a")));
  assert.equal(isEqual(compare({ tenantId, before, later: new Map(), objects: [changed], ignored })), true);
});

/** Registered under the key of what was enrolled, with the properties that Graph returned. */
function registrationsOfChanged(
  ...pairs: readonly (readonly [enrolled: string, kept: GraphObject])[]
): Registrations {
  const registrations = registrationsOf(
    ...pairs.map(([at, kept]) => object(kept.id, { enrollmentDateTime: at })),
  );
  const tenant = registrations.tenants.get(tenantId)!;
  for (const [key, registration] of tenant) {
    const kept = pairs.find(([, { id }]) => id === registration.object.id)![1];
    tenant.set(key, { ...registration, object: kept });
  }
  return registrations;
}

const second = { enrollmentDateTime: "2017-01-01T07:57:59Z" };

test("Graph cuts instants: two enrollments of one second look alike there, and neither is the other's copy", () => {
  const kept = [object("a", second), object("b", second)];
  const registrations = registrationsOfChanged(
    ["2017-01-01T07:57:59.1Z", kept[0]!],
    ["2017-01-01T07:57:59.2Z", kept[1]!],
  );
  assert.equal(
    isEqual(
      compare({
        tenantId,
        before: tenantIn(registrations),
        later: new Map(),
        objects: kept,
        ignored: nothing,
      }),
    ),
    true,
  );
});

test("Graph cuts instants: a third object is reported, and not superfluous, since it may be the next enrollment's", () => {
  const kept = [object("a", second), object("b", second)];
  const registrations = registrationsOfChanged(["2017-01-01T07:57:59.1Z", kept[0]!]);
  const findings = compare({
    tenantId,
    before: tenantIn(registrations),
    later: new Map(),
    objects: kept,
    ignored: nothing,
  });
  assert.deepEqual(
    findings.duplicated.map(({ registeredId, superfluousIds }) => [registeredId, superfluousIds]),
    [["a", []]],
  );
  assert.deepEqual(
    findings.orphaned.map((each) => each.object.id),
    ["b"],
  );
});

test("Graph's list cuts what its answer to the create did not: no difference, and no orphan", () => {
  const cut = { ...second, lastCheckinDateTime: "2017-01-01T08:02:46Z" };
  assert.equal(isEqual(compared([object("a")], [object("a", cut)])), true);
  const fine = object("b", other);
  const findings = compared([object("a"), fine], [object("a", cut), fine]);
  assert.equal(findings.differing.length, 1, "a list that keeps finer digits shows that Graph does not cut");
});

test("what was registered while the list was read is neither missing nor orphaned", () => {
  const listed = compared([], [object("a")], [object("a")]);
  assert.equal(isEqual(listed), true);
  assert.deepEqual([listed.registered, listed.inGraph, listed.registeredSince], [1, 1, 0]);
  const unlisted = compared([], [], [object("a")]);
  assert.equal(isEqual(unlisted), true);
  assert.deepEqual([unlisted.registered, unlisted.inGraph, unlisted.registeredSince], [0, 0, 1]);
});

test("what was registered while the list was read is compared too, once the list shows it", () => {
  const changed = object("a", { connectorVersion: "2" });
  assert.equal(compared([], [changed], [object("a")]).differing.length, 1);
});

test("the registrations keep the first id, merge what was read later, and count what they can't read", () => {
  const registrations = registrationsOf(object("first"));
  takeRecord(registrations, { ...record(object("x")), value: null });
  takeRecord(registrations, { ...record(object("x")), key: bytes("other") });
  merge(registrations, registrationsOf(object("second"), object("third", other)));
  merge(registrations, registrationsOf(object("first")));
  assert.equal(registrations.unreadableRecords, 2);
  assert.deepEqual(
    [...tenantIn(registrations).values()].map((each) => [each.object.id, each.otherIds]),
    [
      ["first", ["second"]],
      ["third", []],
    ],
  );
});
