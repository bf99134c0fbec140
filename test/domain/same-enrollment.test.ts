import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  changesBetween,
  coarser,
  coarsestOf,
  exactForm,
  type Form,
  formBetween,
  type Identifying,
  isSameInstant,
  isSameName,
  isSameUnder,
  looseKey,
} from "../../src/domain/same-enrollment.ts";

const sent: Identifying = {
  connectorName: "Connector 1",
  machineName: "Host-1",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
};
const at = (enrollmentDateTime: string) => ({ ...sent, enrollmentDateTime });

describe("the least that a server must have done", () => {
  const table: readonly (readonly [name: string, kept: Identifying, form: Form | null])[] = [
    ["nothing", sent, exactForm],
    [
      "UTC, and the machine in another case",
      { ...at("2017-01-01T07:57:59.3726057Z"), machineName: "HOST-1" },
      exactForm,
    ],
    ["microseconds", at("2017-01-01T07:57:59.372605Z"), { unitTicks: 10, trims: false, folds: false }],
    ["milliseconds", at("2017-01-01T07:57:59.372Z"), { unitTicks: 10_000, trims: false, folds: false }],
    [
      "milliseconds, rounded up",
      at("2017-01-01T07:57:59.373Z"),
      { unitTicks: 10_000, trims: false, folds: false },
    ],
    ["seconds", at("2017-01-01T07:57:59Z"), { unitTicks: 10_000_000, trims: false, folds: false }],
    ["a second later than rounding would make of it", at("2017-01-01T07:58:00Z"), null],
    ["an instant that it can't have cut", at("2017-01-01T07:57:59.3Z"), null],
    ["no instant", at("never"), null],
    ["trimmed", sent, exactForm],
    ["another case", { ...sent, connectorName: "CONNECTOR 1" }, { unitTicks: 1, trims: false, folds: true }],
    ["another name", { ...sent, connectorName: "Connector 2" }, null],
    ["another machine", { ...sent, machineName: "Host-2" }, null],
  ];
  for (const [name, kept, form] of table) test(name, () => assert.deepEqual(formBetween(sent, kept), form));

  test("trimmed names", () => {
    const padded = { ...sent, connectorName: " Connector 1", machineName: "Host-1 " };
    assert.deepEqual(formBetween(padded, sent), { unitTicks: 1, trims: true, folds: false });
  });
});

test("an instant of the second before, cut or rounded over midnight, is still the same", () => {
  const late = at("2016-12-31T23:59:59.9996Z");
  assert.deepEqual(formBetween(late, at("2017-01-01T00:00:00Z")), {
    unitTicks: 10_000,
    trims: false,
    folds: false,
  });
  assert.deepEqual(formBetween(late, at("2016-12-31T23:59:59.999Z")), {
    unitTicks: 10_000,
    trims: false,
    folds: false,
  });
  assert.equal(formBetween(at("2017-01-01T00:00:00.4Z"), at("2017-01-01T00:00:01Z")), null);
});

test("whatever a server cuts, the object is the enrollment's under that form and each coarser one", () => {
  const digits = fc.integer({ min: 0, max: 9_999_999 });
  const unit = fc.constantFrom(1, 10, 10_000, 10_000_000);
  fc.assert(
    fc.property(digits, unit, unit, (ticks, unitTicks, other) => {
      const text = (fraction: number) => at(`2017-01-01T07:57:59.${String(fraction).padStart(7, "0")}Z`);
      const kept = text(Math.floor(ticks / unitTicks) * unitTicks);
      const form = { unitTicks: Math.max(unitTicks, other), trims: false, folds: false } as const;
      assert.equal(isSameUnder(form, text(ticks), kept), true);
      assert.ok(formBetween(text(ticks), kept)!.unitTicks <= unitTicks);
    }),
  );
});

test("the coarsest form that some objects do not contradict", () => {
  const plain = {
    connectorName: "connector",
    machineName: "host",
    enrollmentDateTime: "2017-01-01T07:57:59Z",
  };
  const coarsest = { unitTicks: 10_000_000, trims: true, folds: true };
  assert.deepEqual(coarsestOf([]), coarsest);
  assert.deepEqual(coarsestOf([plain, { ...plain, enrollmentDateTime: "never" }]), coarsest);
  assert.deepEqual(coarsestOf([plain, sent]), { unitTicks: 1, trims: true, folds: false });
  assert.deepEqual(coarsestOf([plain, { ...plain, machineName: "host " }]), {
    unitTicks: 10_000_000,
    trims: false,
    folds: true,
  });
  assert.deepEqual(coarsestOf([plain, { ...plain, enrollmentDateTime: "2017-01-01T07:57:59.25Z" }]), {
    unitTicks: 10_000,
    trims: true,
    folds: true,
  });
});

test("of two forms the coarser of each kind", () => {
  assert.deepEqual(
    coarser({ unitTicks: 10, trims: false, folds: true }, { unitTicks: 10_000, trims: false, folds: false }),
    {
      unitTicks: 10_000,
      trims: false,
      folds: true,
    },
  );
});

test("properties alone, under a form", () => {
  const trimmed = { unitTicks: 10_000, trims: true, folds: false } as const;
  assert.deepEqual(
    [isSameName(trimmed, "a ", "a"), isSameName(trimmed, "a", "A"), isSameName(exactForm, "a ", "a")],
    [true, false, false],
  );
  const instant = (form: Form, kept: string) => isSameInstant(form, sent.enrollmentDateTime, kept);
  assert.deepEqual(
    [
      instant(trimmed, "2017-01-01T07:57:59.372Z"),
      instant(trimmed, "2017-01-01T07:57:59Z"),
      instant(exactForm, "x"),
    ],
    [true, false, false],
  );
});

test("what looks alike in the coarsest form has the same key", () => {
  assert.equal(looseKey(sent), looseKey({ ...sent, connectorName: "CONNECTOR 1 ", machineName: " HOST-1" }));
  assert.notEqual(looseKey(sent), looseKey({ ...sent, connectorName: "Connector 2" }));
});

test("what was done, and nothing where nothing was", () => {
  assert.deepEqual(changesBetween(sent, sent), []);
  assert.deepEqual(changesBetween(sent, { ...sent, connectorName: "Connector 2" }), []);
  assert.deepEqual(changesBetween(sent, { ...at("2017-01-01T07:57:59Z"), connectorName: "connector 1" }), [
    "seconds",
    "utc",
    "name-case",
  ]);
  const padded = { ...sent, connectorName: "Connector 1 " };
  assert.deepEqual(changesBetween(padded, sent), ["trimmed-names"]);
});
