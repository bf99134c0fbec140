import assert from "node:assert/strict";
import { test } from "node:test";
import { asItCame, isKept, normalise } from "../../../lab/simulation/normal-form.ts";

const details = {
  connectorName: "Connector 2 ",
  machineName: "SRV-0.contoso.example",
  enrollmentDateTime: "2025-12-31T15:57:59.3726050-08:00",
  lastCheckinDateTime: "2026-01-01T10:00:00.0000000Z",
  connectorVersion: "6.1.0",
};
const inUtc = (text: string): string =>
  text === details.enrollmentDateTime ? "2025-12-31T23:57:59.3726050Z" : text;

test("a service may keep what it was sent", () => {
  assert.deepEqual(normalise(asItCame, details, inUtc), details);
  assert.ok(isKept(asItCame));
});

test("it may turn instants to UTC, cut their fraction, trim zeros, and trim or fold names", () => {
  const forms = [
    [{ ...asItCame, inUtc: true }, "2025-12-31T23:57:59.3726050Z", "Connector 2 "],
    [{ ...asItCame, fraction: "seconds" }, "2025-12-31T15:57:59-08:00", "Connector 2 "],
    [{ inUtc: true, fraction: "milliseconds", names: "kept" }, "2025-12-31T23:57:59.372Z", "Connector 2 "],
    [{ ...asItCame, fraction: "trimmed" }, "2025-12-31T15:57:59.372605-08:00", "Connector 2 "],
    [{ ...asItCame, names: "trimmed" }, details.enrollmentDateTime, "Connector 2"],
    [{ ...asItCame, names: "folded" }, details.enrollmentDateTime, "connector 2 "],
  ] as const;
  for (const [form, instant, name] of forms) {
    const stored = normalise(form, details, inUtc);
    assert.deepEqual(
      [stored.enrollmentDateTime, stored.connectorName],
      [instant, name],
      JSON.stringify(form),
    );
    assert.equal(isKept(form), false);
  }
  const trimmed = normalise({ ...asItCame, fraction: "trimmed" }, details, inUtc);
  assert.equal(trimmed.lastCheckinDateTime, "2026-01-01T10:00:00Z");
});
