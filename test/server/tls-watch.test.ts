/** The certificate of the service, renewed while it runs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { virtualClock } from "../../lab/testkit/virtual-clock.ts";
import type { Problem } from "../../src/problem.ts";
import { readTlsFiles } from "../../src/server/auth/tls-files.ts";
import { watchTlsFiles } from "../../src/server/auth/tls-watch.ts";
import { limits } from "../../src/server/http/limits.ts";
import { certificate } from "../support/certificates.ts";
import { serviceFor } from "./service-harness.ts";

const [first, second] = [await certificate("first"), await certificate("second")];

/** Two files in a folder behind a link, as Kubernetes mounts a secret. */
function mounted(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let versions = 0;
  const put = (files: { readonly cert?: string; readonly key?: string }) => {
    const version = join(folder, `v${++versions}`);
    mkdirSync(version);
    if (files.cert !== undefined) writeFileSync(join(version, "tls.crt"), files.cert);
    if (files.key !== undefined) writeFileSync(join(version, "tls.key"), files.key);
    symlinkSync(version, join(folder, "new"));
    renameSync(join(folder, "new"), join(folder, "data"));
  };
  return { put, certFile: join(folder, "data/tls.crt"), keyFile: join(folder, "data/tls.key") };
}

function watched(t: TestContext, { certFile, keyFile }: { certFile: string; keyFile: string }) {
  const clock = virtualClock();
  const [renewed, problems]: [string[], Problem[]] = [[], []];
  const stop = watchTlsFiles(
    {
      ...{ certFile, keyFile },
      onRenewed: ({ cert }) => renewed.push(cert),
      onProblem: (problem) => problems.push(problem),
    },
    clock,
  );
  t.after(stop);
  return { look: () => clock.advance(limits.tlsCheckMs), renewed, problems, stop };
}

test("files that are swapped are used at the next look; as long as nothing changes, nothing is read", async (t) => {
  const files = mounted(t);
  files.put(first);
  const { look, renewed, problems, stop } = watched(t, files);
  await look();
  assert.deepEqual(renewed, []);
  files.put(second);
  await look();
  await look();
  assert.deepEqual(renewed, [second.cert]);
  stop();
  files.put(first);
  await look();
  assert.deepEqual([renewed.length, problems], [1, []]);
});

for (const [what, bad] of [
  ["that do not fit each other", { cert: second.cert, key: first.key }],
  ["of which one is gone", { cert: second.cert }],
  ["that hold no certificate", { cert: "-----BEGIN", key: "" }],
] as const)
  test(`files ${what} change nothing, are reported once they have stood, and are used once they are right`, async (t) => {
    const files = mounted(t);
    files.put(first);
    const { look, renewed, problems } = watched(t, files);
    files.put(bad);
    await look();
    assert.deepEqual([renewed, problems], [[], []]);
    await look();
    await look();
    await look();
    assert.deepEqual([renewed, problems.map(({ code }) => code)], [[], ["serve-tls-files"]]);
    assert.match(problems[0]!.message, /SERVE_TLS_CERT_FILE=.*SERVE_TLS_KEY_FILE=/);
    assert.match(problems[0]!.fix, /former certificate is used/);
    files.put(second);
    await look();
    assert.deepEqual([renewed, problems.length], [[second.cert], 1]);
  });

test("one file written after the other causes no problem", async (t) => {
  const files = mounted(t);
  files.put(first);
  const { look, renewed, problems } = watched(t, files);
  files.put({ cert: second.cert, key: first.key });
  await look();
  files.put(second);
  await look();
  await look();
  assert.deepEqual([renewed, problems], [[second.cert], []]);
});

test("new connections get the new certificate, open ones stay", async (t) => {
  const files = mounted(t);
  files.put(first);
  const read = readTlsFiles(files.certFile, files.keyFile);
  assert.ok(read.ok);
  const { service } = await serviceFor(t, { settings: { tls: read.tls } });
  const { port } = new URL(service.url);
  const connected = async () => {
    const socket = connect({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false });
    t.after(() => socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  };
  const before = await connected();
  assert.equal(before.getPeerCertificate().subject.CN, "first");
  service.renewTls(second);
  const after = await connected();
  assert.equal(after.getPeerCertificate().subject.CN, "second");
  before.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [answer] = (await once(before, "data")) as [Buffer];
  assert.match(String(answer), /^HTTP\/1\.1 200 /);
});

test("a path that can't be looked at is one more thing that is reported, and ends nothing", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = { certFile: join(folder, "data/tls.crt"), keyFile: join(folder, "data/tls.key") };
  mkdirSync(join(folder, "data"));
  writeFileSync(files.certFile, first.cert);
  writeFileSync(files.keyFile, first.key);
  const { look, renewed, problems } = watched(t, files);
  renameSync(join(folder, "data"), join(folder, "old"));
  // A file where the folder was, then a link to itself.
  writeFileSync(join(folder, "data"), "");
  await look();
  await look();
  assert.match(problems[0]!.message, /ENOTDIR/);
  rmSync(join(folder, "data"));
  symlinkSync("data", join(folder, "data"));
  await look();
  await look();
  assert.match(problems[1]!.message, /ELOOP/);
  rmSync(join(folder, "data"));
  mkdirSync(join(folder, "data"));
  writeFileSync(files.certFile, second.cert);
  writeFileSync(files.keyFile, second.key);
  await look();
  assert.deepEqual(renewed, [second.cert]);
});
