/** Microsoft's own SDK for Python, as its users write it, against the emulator: see msgraph-client.py. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { python, skipWithoutPython } from "../support/python.ts";
import { clientId, clientSecret, emulatorFor, tenantA } from "./support.ts";

const skip = skipWithoutPython("msgraph_beta", "azure.identity", "deprecated");
const program = join(import.meta.dirname, "msgraph-client.py");
/** It compiles what it imports, the first time. */
const timeoutMs = 180_000;

const details = {
  connectorName: "Connector of Python",
  connectorVersion: "6.2406.0.1001",
  enrollmentDateTime: "2026-01-02T03:04:05+00:00",
  odataType: "#microsoft.graph.certificateConnectorDetails",
};

test("Microsoft's SDK for Python does all that the emulator has", { skip, timeout: timeoutMs }, async (t) => {
  const { emulator } = await emulatorFor(t, { behaviour: { pageSize: 3, queryOptions: true } });
  const options = {
    "--url": emulator.httpsUrl,
    "--ca-file": emulator.caFile,
    "--tenant": tenantA,
    "--client-id": clientId,
    "--client-secret": clientSecret,
  };
  const { stdout } = await promisify(execFile)(python, [program, ...Object.entries(options).flat()]);
  const seen = JSON.parse(stdout.trim().split("\n").at(-1)!);

  const { error, ...single } = seen.single;
  assert.deepEqual(single, {
    created: { ...details, machineName: "one" },
    gotIsCreated: true,
    updated: { ...details, machineName: "one, renamed" },
  });
  assert.match(error.message, /^No certificateConnectorDetails has the id/);
  assert.deepEqual(
    { ...error, message: "" },
    { status: 404, code: "ResourceNotFound", message: "", innerIsWhole: true },
  );
  assert.deepEqual(seen.batch, {
    isAbsolute: true,
    statuses: { first: 201, second: 201, list: 200, gone: 404 },
  });
  const pages = [0, 1, 2, 3, 4].map((number) => `page, ${number}`);
  assert.deepEqual(seen.pages, { onFirst: 3, machines: ["batch, first", "batch, second", ...pages] });
  assert.deepEqual(seen.options, { count: 5, machines: pages.toReversed(), othersAreLeftOut: true });
});
