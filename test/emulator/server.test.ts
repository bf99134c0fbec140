import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { request } from "undici";
import { type Faults, faultProfile, type TransportFault } from "../../emulator/faults.ts";
import { startEmulator } from "../../emulator/server.ts";
import { clientId, clientSecret, collection, emulatorFor, example, manualClock, tenantA } from "./support.ts";

const id = "104d7361-7361-104d-6173-4d1061734d10";
const none = faultProfile("none");
const only = (fault: keyof Faults): Faults => ({ ...none, [fault]: 1 });
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test("the documented example, created, listed, read, changed and deleted over HTTPS", async (t) => {
  const { as, emulator } = await emulatorFor(t);
  const send = await as(tenantA);
  const created = await send("POST", collection, { ...example, id });
  assert.equal(created.status, 201);
  for (const [name, value] of Object.entries({ ...example, id })) assert.equal(created.json[name], value);
  assert.equal((await send("POST", collection, { ...example, id })).status, 409);
  const listed = await send("GET", collection);
  assert.deepEqual(listed.json.value, [{ ...example, id }]);
  assert.equal((await send("GET", `${collection}/${id}`)).json.machineName, example.machineName);
  assert.equal(
    (await send("PATCH", `${collection}/${id}`, { connectorVersion: "2" })).json.connectorVersion,
    "2",
  );
  assert.deepEqual(Object.keys(emulator.inventory()), [tenantA]);
  const deleted = await send("DELETE", `${collection}/${id}`);
  assert.deepEqual([deleted.status, deleted.text], [204, ""]);
  assert.equal((await send("GET", `${collection}/${id}`)).status, 404);
});

test("every Graph answer carries its ids and where it came from", async (t) => {
  const { sendWith } = await emulatorFor(t, {}, "http");
  const correlation = "55555555-5555-4555-8555-555555555555";
  const { headers, json } = await sendWith({ "client-request-id": correlation })("GET", collection);
  assert.match(String(headers["request-id"]), guid);
  assert.equal(headers["client-request-id"], correlation);
  assert.ok(JSON.parse(String(headers["x-ms-ags-diagnostic"])).ServerInfo);
  assert.equal(json.error.innerError["request-id"], headers["request-id"]);
  assert.equal(json.error.innerError["client-request-id"], correlation);
});

test("next links lead through all pages as they are", async (t) => {
  const { as } = await emulatorFor(t, { behaviour: { pageSize: 2 } });
  const send = await as(tenantA);
  for (const machineName of ["a", "b", "c", "d", "e"])
    await send("POST", collection, { ...example, machineName });
  const machines: string[] = [];
  let next: string | undefined = collection;
  while (next !== undefined) {
    const { json } = await send("GET", next);
    machines.push(...json.value.map((object: { machineName: string }) => object.machineName));
    next = json["@odata.nextLink"];
  }
  assert.deepEqual(machines, ["a", "b", "c", "d", "e"]);
});

test("bodies that are not JSON, or too large, are refused", async (t) => {
  const { as } = await emulatorFor(t, {}, "http");
  const send = await as(tenantA);
  assert.equal((await send("POST", collection, "{")).status, 400);
  assert.equal((await send("POST", collection, JSON.stringify("x".repeat(5_000_000)))).status, 413);
});

test("latency counts from the arrival of a request, however long its body takes", {
  timeout: 20_000,
}, async (t) => {
  const clock = manualClock();
  const faults: Faults = { ...none, latency: { kind: "fixed", ms: 50 } };
  const { emulator, send, token } = await emulatorFor(t, { clock, faults }, "http");
  const authorization = `Bearer ${(await token(tenantA)).json.access_token}`;
  let answered = false;
  const late = httpRequest(emulator.httpUrl + collection, {
    method: "POST",
    headers: { authorization, "content-type": "application/json", expect: "100-continue" },
  });
  const answer = once(late, "response").then(([response]) => {
    answered = true;
    response.resume();
    return response.statusCode;
  });
  late.flushHeaders();
  await once(late, "continue");
  clock.advance(30);
  late.end(JSON.stringify(example));
  await clock.waitedFor();
  clock.advance(19);
  await send("GET", "/_control/stats");
  assert.equal(answered, false);
  clock.advance(1);
  assert.equal(await answer, 201);
});

const lost: [TransportFault, boolean][] = [
  ["resetBefore", false],
  ["resetAfter", true],
  ["truncated", true],
];
for (const scheme of ["https", "http"] as const) {
  for (const [fault, takesEffect] of lost) {
    test(`${fault} over ${scheme}: no whole reply, ${takesEffect ? "but the object is there" : "no object"}`, async (t) => {
      const { as, emulator } = await emulatorFor(t, {}, scheme);
      const send = await as(tenantA);
      emulator.setFaults(only(fault));
      await assert.rejects(
        send("POST", collection, example),
        /reset|closed|other side|aborted|terminated|ECONN/i,
      );
      emulator.setFaults(none);
      assert.equal(emulator.stats().createdCount, takesEffect ? 1 : 0);
      const name = fault === "truncated" ? "truncated" : "reset";
      assert.equal(emulator.stats().requests.create?.[name], 1);
    });
  }
}

test("a slow request: carried out immediately or late, answered late", async (t) => {
  const clock = manualClock();
  const { as, emulator } = await emulatorFor(t, { clock }, "http");
  const send = await as(tenantA);
  for (const [fault, early] of [
    ["slowAfter", 1],
    ["slowBefore", 0],
  ] as const) {
    emulator.reset();
    emulator.setFaults({ ...only(fault), slowMs: 9_000 });
    const reply = send("POST", collection, example);
    await clock.waitedFor();
    assert.equal(emulator.stats().createdCount, early, fault);
    clock.advance(9_000);
    assert.equal((await reply).status, 201);
    assert.equal(emulator.stats().createdCount, 1);
  }
});

for (const effectAfterHangUp of [false, true]) {
  const what = effectAfterHangUp ? "is carried out where that is asked for" : "is not carried out";
  test(`a slow request whose client hung up before it was due ${what}`, async (t) => {
    const clock = manualClock();
    const client = await emulatorFor(t, { clock }, "http");
    const { emulator } = client;
    const send = await client.as(tenantA);
    emulator.setFaults({ ...only("slowBefore"), slowMs: 9_000, effectAfterHangUp });
    const { access_token: token } = (await client.token(tenantA)).json;
    const hangUp = new AbortController();
    const reply = request(emulator.httpUrl + collection, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(example),
      signal: hangUp.signal,
    });
    await clock.waitedFor();
    hangUp.abort();
    await assert.rejects(reply, /abort/i);
    // The server has seen the hang-up once a later request on a new connection was answered.
    emulator.setFaults(none);
    await send("GET", collection);
    clock.advance(9_000);
    assert.equal(emulator.stats().createdCount, effectAfterHangUp ? 1 : 0);
  });
}

test("list lag by the clock given", async (t) => {
  const clock = manualClock();
  const { as } = await emulatorFor(t, { clock, behaviour: { listLagMs: 5_000 } }, "http");
  const send = await as(tenantA);
  await send("POST", collection, { ...example, id });
  assert.equal((await send("GET", `${collection}/${id}`)).status, 200);
  assert.equal((await send("GET", collection)).json.value.length, 0);
  clock.advance(5_000);
  assert.equal((await send("GET", collection)).json.value.length, 1);
});

test("list lag counts from the effect, not from the request", async (t) => {
  const clock = manualClock();
  const { as, emulator } = await emulatorFor(t, { clock, behaviour: { listLagMs: 5_000 } }, "http");
  const send = await as(tenantA);
  emulator.setFaults({ ...only("slowBefore"), slowMs: 4_000 });
  const reply = send("POST", collection, example);
  await clock.waitedFor();
  clock.advance(4_000);
  assert.equal((await reply).status, 201);
  emulator.setFaults(none);
  clock.advance(4_999);
  assert.equal((await send("GET", collection)).json.value.length, 0);
  clock.advance(1);
  assert.equal((await send("GET", collection)).json.value.length, 1);
});

test("an outage: 503 for all, or every connection reset, or none accepted; then all is as before", async (t) => {
  const { as, token, emulator } = await emulatorFor(t);
  const send = await as(tenantA);
  emulator.setBehaviour({ outage: "unavailable" });
  assert.equal((await send("GET", collection)).status, 503);
  assert.equal((await token(tenantA)).status, 503);
  emulator.setBehaviour({ outage: "reset" });
  await assert.rejects(send("GET", collection));
  await assert.rejects(token(tenantA));
  emulator.setBehaviour({ outage: "none" });
  await emulator.suspend();
  await assert.rejects(send("GET", collection), /ECONNREFUSED/);
  await emulator.resume();
  assert.equal((await send("GET", collection)).status, 200);
});

test("a malformed batch reply may be no JSON at all", async (t) => {
  const { as, emulator } = await emulatorFor(t, { seed: 3, behaviour: { throttle: null } }, "http");
  const send = await as(tenantA);
  emulator.setFaults(only("batchMalformed"));
  const headers = { "Content-Type": "application/json" };
  const url = "/deviceManagement/certificateConnectorDetails";
  const requests = [{ id: "1", method: "POST", url, headers, body: example }];
  const replies = [];
  for (let round = 0; round < 20; round += 1) replies.push(await send("POST", "/beta/$batch", { requests }));
  assert.ok(replies.every((reply) => reply.status === 200));
  assert.ok(replies.some((reply) => reply.json === undefined));
  assert.ok(replies.some((reply) => reply.json !== undefined));
});

test("a process that is given the CA file trusts the server; one that is not does not", async (t) => {
  const { emulator } = await emulatorFor(t);
  const url = `${emulator.httpsUrl}/${tenantA}/v2.0/.well-known/openid-configuration`;
  const script = `fetch(${JSON.stringify(url)}).then((r) => console.log(r.status), (e) => console.log(e.cause.code))`;
  const run = async (env: NodeJS.ProcessEnv) =>
    (await promisify(execFile)(process.execPath, ["-e", script], { env })).stdout.trim();
  assert.equal(await run({ NODE_EXTRA_CA_CERTS: emulator.caFile }), "200");
  assert.equal(await run({}), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
});

test("a CA directory is used again, its key is private, and other host names are in the certificate", async (t) => {
  const caDir = await mkdtemp(join(tmpdir(), "emulator-test-"));
  t.after(() => rm(caDir, { recursive: true, force: true }));
  const settings = { clientId, clientSecret, caDir, extraHosts: ["graph-emulator", "10.1.2.3"] };
  const first = await startEmulator(settings);
  await first.close();
  const second = await emulatorFor(t, settings);
  assert.equal(second.emulator.caPem, first.caPem);
  assert.equal((await stat(join(caDir, "ca-key.pem"))).mode & 0o777, 0o600);
  const port = Number(new URL(second.emulator.httpsUrl).port);
  for (const servername of ["graph-emulator", "localhost"]) {
    const socket = connect({ host: "127.0.0.1", port, servername, ca: first.caPem });
    await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    assert.match(socket.getPeerCertificate().subjectaltname ?? "", /IP Address:10\.1\.2\.3/);
    socket.destroy();
  }
});

test("a port that is taken is reported by the system's error, and nothing is left behind", async (t) => {
  const { emulator } = await emulatorFor(t);
  const directory = await mkdtemp(join(tmpdir(), "emulator-test-"));
  const { TMPDIR: usual } = process.env;
  process.env.TMPDIR = directory;
  t.after(async () => {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
    await rm(directory, { recursive: true });
  });
  const httpsPort = Number(new URL(emulator.httpsUrl).port);
  await assert.rejects(startEmulator({ clientId, clientSecret, httpsPort }), { code: "EADDRINUSE" });
  assert.deepEqual(await readdir(directory), []);
});

test("a temporary CA is removed when the emulator closes", async () => {
  const emulator = await startEmulator({ clientId, clientSecret });
  await stat(emulator.caFile);
  await emulator.close();
  await assert.rejects(stat(emulator.caFile), { code: "ENOENT" });
});

test("a temporary CA is removed when a process exits without closing its emulator", async () => {
  const module = new URL("../../emulator/server.ts", import.meta.url).href;
  const script = `import { startEmulator } from ${JSON.stringify(module)};
    const emulator = await startEmulator({ clientId: "a", clientSecret: "b" });
    console.log(emulator.caFile);
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  assert.match(stdout, /ca\.pem\n$/);
  await assert.rejects(stat(stdout.trim()), { code: "ENOENT" });
});
