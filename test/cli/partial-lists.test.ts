/** What reconcile and doctor make of a list that fails in part. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { runCli, startCli, temporaryDirectory } from "./run-cli.ts";

test("a list that fails in part: nothing is called missing, nothing equal, and doctor says why", async (t) => {
  const { emulator, environment: graphAt } = await emulatorFor(t);
  const environment = {
    ...graphAt,
    REREAD_DELAY_MS: "10",
    REREAD_COUNT: "2",
    DATA_DIR: temporaryDirectory(t),
  };
  const emitted = await runCli(["emit", "--count", "3", "--seed", "1", "--quiet"], environment);
  assert.equal(emitted.code, 0, emitted.stderr);
  const worker = startCli(["start"], environment);
  t.after(() => worker.child.kill("SIGKILL"));
  const tail = await runCli(["tail", "--limit", "3"], environment);
  assert.equal(tail.code, 0, tail.stderr);
  worker.child.kill("SIGTERM");
  await worker.ended;

  emulator.setBehaviour({ listForm: "hole" });
  const text = await runCli(["reconcile"], environment);
  assert.equal(text.code, 1, text.stdout + text.stderr);
  assert.match(text.stdout, new RegExp(`^tenant ${tenantId}: 3 registered, 2 in Graph$`, "m"));
  assert.match(
    text.stdout,
    /^ {2}incomplete +1 items are unreadable; 1 registered objects are not in the part/m,
  );
  assert.match(text.stdout, /^0 missing, 0 orphaned, .* in 1 of 1 tenants, 1 of them listed in part$/m);

  emulator.setBehaviour({ listForm: "elsewhere" });
  const json = await runCli(["reconcile", "--json"], environment);
  const { equal, missing, incomplete, results } = JSON.parse(json.stdout);
  assert.deepEqual([json.code, equal, missing, incomplete], [1, false, 0, 1]);
  assert.equal(results[0].status, "incomplete");
  assert.match(results[0].incomplete, /not followed.*; 0 registered objects/);

  const doctor = await runCli(["doctor"], environment);
  assert.equal(doctor.code, 1, doctor.stdout);
  assert.match(doctor.stdout, /^wrong +graph .* only 3 can be read: .*not followed; check GRAPH_BASE_URL/m);

  emulator.setBehaviour({ listForm: "whole" });
  assert.equal((await runCli(["reconcile"], environment)).code, 0);
});

test("doctor names the proxies and not their passwords; a malformed one is a matter of configuration", async (t) => {
  const { environment } = await emulatorFor(t);
  const settings = { ...environment, DATA_DIR: temporaryDirectory(t) };
  const elsewhere = { ...settings, GRAPH_BASE_URL: "https://graph.invalid" };
  const proxied = await runCli(["doctor"], { ...elsewhere, HTTPS_PROXY: "http://user:geheim@127.0.0.1:1" });
  assert.equal(proxied.code, 1, proxied.stdout);
  const line =
    /^note +graph +Graph \(https:\/\/graph\.invalid\) through http:\/\/127\.0\.0\.1:1, by HTTPS_PROXY$/m;
  assert.match(proxied.stdout, line);
  assert.match(proxied.stdout, /^wrong +graph .*the proxy http:\/\/127\.0\.0\.1:1 gives no way/m);
  assert.doesNotMatch(proxied.stdout + proxied.stderr, /geheim/);
  const malformed = await runCli(["doctor"], { ...settings, HTTPS_PROXY: "socks5://user:geheim@p:1" });
  assert.equal(malformed.code, 2, malformed.stdout);
  assert.match(malformed.stderr, /HTTPS_PROXY is not the URL of an HTTP proxy/);
  assert.doesNotMatch(malformed.stdout + malformed.stderr, /geheim/);
});

test("doctor: a certificate of a CA that is not trusted is a matter of configuration", async (t) => {
  const { environment } = await emulatorFor(t);
  const { GRAPH_CA_FILE: _, ...untrusting } = environment;
  const { code, stdout } = await runCli(["doctor"], { ...untrusting, DATA_DIR: temporaryDirectory(t) });
  assert.equal(code, 2, stdout);
  assert.match(stdout, /^wrong +graph .*the authority localhost:\d+ can't be reached: .*GRAPH_CA_FILE/m);
});
