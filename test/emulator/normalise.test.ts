import assert from "node:assert/strict";
import { test } from "node:test";
import { type Normalisation, normalised } from "../../emulator/normalise.ts";
import { collection, emulatorFor, example, tenantA } from "./support.ts";

const details = {
  connectorName: " Zürich Connector ",
  machineName: " Machine ",
  enrollmentDateTime: "2016-12-31T23:57:59.3726050-08:00",
  lastCheckinDateTime: "2017-01-01T00:02:46.1000000+05:30",
  connectorVersion: "6.2406.0.1001",
};

const table: [Normalisation[], Partial<typeof details>][] = [
  [[], {}],
  [
    ["utc"],
    {
      enrollmentDateTime: "2017-01-01T07:57:59.3726050Z",
      lastCheckinDateTime: "2016-12-31T18:32:46.1000000Z",
    },
  ],
  [
    ["seconds"],
    { enrollmentDateTime: "2016-12-31T23:57:59-08:00", lastCheckinDateTime: "2017-01-01T00:02:46+05:30" },
  ],
  [
    ["milliseconds"],
    {
      enrollmentDateTime: "2016-12-31T23:57:59.372-08:00",
      lastCheckinDateTime: "2017-01-01T00:02:46.100+05:30",
    },
  ],
  [
    ["trimmed-zeros"],
    {
      enrollmentDateTime: "2016-12-31T23:57:59.372605-08:00",
      lastCheckinDateTime: "2017-01-01T00:02:46.1+05:30",
    },
  ],
  [["trimmed-names"], { connectorName: "Zürich Connector", machineName: "Machine" }],
  [["upper-names"], { connectorName: " ZÜRICH CONNECTOR ", machineName: " MACHINE " }],
  [["lower-names"], { connectorName: " zürich connector ", machineName: " machine " }],
  [
    ["trimmed-zeros", "lower-names", "milliseconds", "utc", "trimmed-names"],
    {
      connectorName: "zürich connector",
      machineName: "machine",
      enrollmentDateTime: "2017-01-01T07:57:59.372Z",
      lastCheckinDateTime: "2016-12-31T18:32:46.1Z",
    },
  ],
];
for (const [how, changes] of table) {
  test(`a server that keeps values as: ${how.join(", ") || "they came"}`, () => {
    assert.deepEqual(normalised(details, how), { ...details, ...changes });
  });
}

test("the first and the last year keep a form, and a fraction of zeros goes with its point", () => {
  const early = { ...details, enrollmentDateTime: "0001-01-01T00:00:00.0000000+14:00" };
  assert.equal(normalised(early, ["utc"]).enrollmentDateTime, early.enrollmentDateTime);
  assert.equal(normalised(early, ["trimmed-zeros"]).enrollmentDateTime, "0001-01-01T00:00:00+14:00");
  const late = { ...details, enrollmentDateTime: "9999-12-31T23:59:59Z" };
  assert.equal(normalised(late, ["utc", "milliseconds"]).enrollmentDateTime, late.enrollmentDateTime);
});

test("it is set while it runs; two enrollments that then look alike are not counted as duplicates", async (t) => {
  const { as, send } = await emulatorFor(t, { behaviour: { idMode: "ignore" } }, "http");
  const sendA = await as(tenantA);
  await send("PUT", "/_control/settings", { normalise: ["seconds", "utc"] });
  for (const fraction of ["1", "2", "2"]) {
    const enrollmentDateTime = `2016-12-31T23:57:59.${fraction}-08:00`;
    const created = await sendA("POST", collection, { ...example, enrollmentDateTime });
    assert.equal(created.json.enrollmentDateTime, "2017-01-01T07:57:59Z");
  }
  const { json } = await send("GET", "/_control/stats");
  assert.deepEqual([json.objectCount, json.duplicateObjectCount], [3, 1]);
});
