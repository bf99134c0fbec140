/** Files and commits of 0.1.0 serve today's code, and today's commits serve 0.1.0: see 0.1.0/README.md. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Emulator } from "../../emulator/server.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import * as today from "../../src/registrar/ownership/commit-metadata.ts";
import { runCli, startCli, temporaryDirectory, waitUntil } from "../cli/run-cli.ts";
import * as former from "./0.1.0/commit-metadata.ts";

const kept = join(import.meta.dirname, "0.1.0");
const enrolled = 60;
const createdBefore: Record<string, { id: string }[]> = JSON.parse(
  readFileSync(join(kept, "graph-objects.json"), "utf8"),
);

test("a data directory of 0.1.0, whose worker was killed at work: each enrollment gets one object, none a second", {
  timeout: 120_000,
}, async (t) => {
  const { emulator, environment } = await emulatorFor(t);
  await createAgain(emulator, environment.AZURE_CLIENT_ID, environment.AZURE_CLIENT_SECRET);
  const directory = temporaryDirectory(t);
  for (const file of ["log.db", "log.db-wal"])
    writeFileSync(join(directory, file), gunzipSync(readFileSync(join(kept, `${file}.gz`))));
  copyFileSync(join(kept, "log.head"), join(directory, "log.head"));

  const limits = { GRAPH_REQUEST_TIMEOUT_MS: "2000", PUBLISH_TIMEOUT_MS: "1000", GRAPH_ORPHAN_MS: "0" };
  const settings = { ...environment, ...limits, DATA_DIR: directory };
  const worker = startCli(["start"], settings, { keepInputOpen: true });
  const objects = () => emulator.inventory()[tenantId] ?? [];
  const registered = async () => {
    const { stdout } = await runCli(["tail", "registered", "--no-follow", "--json"], { DATA_DIR: directory });
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(JSON.parse(line).value).data.id as string);
  };
  await waitUntil(
    async () => objects().length >= enrolled && (await registered()).length >= enrolled,
    () => `${objects().length} objects, the worker's exit code ${worker.child.exitCode}`,
  );
  worker.child.kill("SIGTERM");
  assert.equal((await worker.ended).code, 0);

  const ids = objects().map(({ id }) => id);
  assert.equal(ids.length, enrolled);
  for (const { id } of createdBefore[tenantId]!) assert.ok(ids.includes(id), `${id} is still there`);
  assert.deepEqual((await registered()).toSorted(), ids.toSorted());
  // 0.1.0 did not live to commit past what it had refused, and its commits don't say where to look: refused again, it keeps its id.
  const { stdout } = await runCli(["tail", "dlq", "--no-follow", "--json"], { DATA_DIR: directory });
  const reasons = stdout.split("\n").filter((line) => line !== "");
  const idOf = (line: string) => JSON.parse(JSON.parse(line).headers["dead-letter"]).id as string;
  assert.equal(new Set(reasons.map(idOf)).size, 1);
});

test("a commit of 0.1.0 is read, and lacks what came later", () => {
  const read = today.decodeMetadata(former.encodeMetadata({ attemptedThrough: 1042, claim: "a-claim" }));
  assert.deepEqual(read, { attemptedThrough: 1042, claim: "a-claim", limits: null, known: null });
});

test("0.1.0 reads today's commits: what it does not know, it passes over", () => {
  const text = today.encodeMetadata({
    attemptedThrough: 1042,
    claim: "a-claim",
    limits: { settleMs: 20_000, orphanMs: 120_000, isHonoured: true },
    known: {
      topicId: "t",
      ledgerId: "g",
      ledgerEnd: 7,
      ledgerSize: 6,
      leaderEpoch: 3,
      readThrough: 12,
      readThroughEpoch: 3,
      deadLettersFrom: 5,
    },
  });
  assert.deepEqual(former.decodeMetadata(text), { attemptedThrough: 1042, claim: "a-claim" });
});

/** Under the ids that they had. */
async function createAgain(emulator: Emulator, clientId: string, secret: string): Promise<void> {
  for (const [tenant, objects] of Object.entries(createdBefore)) {
    const form = { grant_type: "client_credentials", client_id: clientId, client_secret: secret };
    const scope = "https://graph.microsoft.com/.default";
    const answer = await post(emulator, `/${tenant}/oauth2/v2.0/token`, {
      body: new URLSearchParams({ ...form, scope }).toString(),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    const { access_token: token } = JSON.parse(answer.text) as { access_token: string };
    for (const object of objects) {
      const { status, text } = await post(emulator, "/beta/deviceManagement/certificateConnectorDetails", {
        body: JSON.stringify(object),
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      });
      assert.equal(status, 201, text);
    }
  }
}

function post(
  emulator: Emulator,
  path: string,
  { body, headers }: { readonly body: string; readonly headers: Record<string, string> },
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", ca: emulator.caPem, headers };
    const sent = request(new URL(path, emulator.httpsUrl), options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end(body);
  });
}
