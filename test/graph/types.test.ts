/** Our shape of the object against Microsoft's own definition: the compiler is the test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificateConnectorDetails } from "@microsoft/microsoft-graph-types-beta";
import type { GraphObject } from "../../src/graph-port.ts";

test("every property that we send and keep is one of Microsoft's, and none of theirs is left out", () => {
  const ours: Record<keyof GraphObject, true> = {
    id: true,
    connectorName: true,
    machineName: true,
    enrollmentDateTime: true,
    lastCheckinDateTime: true,
    connectorVersion: true,
  };
  const theirs: Record<keyof CertificateConnectorDetails, true> = ours;
  assert.deepEqual(Object.keys(theirs), Object.keys(ours));
});
