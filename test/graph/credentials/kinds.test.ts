/** Each credential to Graph and back, through the real @azure/identity; and what is renewed on disk meanwhile. */
import assert from "node:assert/strict";
import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  secondsFromNow,
  serviceAccountToken,
  serviceAccountTrust,
} from "../../../lab/testkit/service-account.ts";
import { certificate, type TestCertificate } from "../../support/certificates.ts";
import { clientSecret, directoryFor, emulatorFor, graphWith, homeTenant, otherTenant } from "./fixtures.ts";

const ca = await certificate("authority", { isCa: true });
const [first, second, signed] = await Promise.all([
  certificate("first"),
  certificate("second"),
  certificate("signed", { issuer: ca }),
]);

const pemOf = ({ key, cert }: TestCertificate) => key + cert;
const byFile = (path: string, sendChain = false) =>
  ({ kind: "client-certificate", path, password: null, sendChain }) as const;

/** As Kubernetes and editors do: readers see the old file or the new one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

test("client secret: any tenant that let the application in", async (t) => {
  const { ask } = graphWith(t, await emulatorFor(t), {
    kind: "client-secret",
    secret: { from: "text", text: clientSecret },
  });
  assert.deepEqual([await ask(homeTenant), await ask(otherTenant)], ["listed", "listed"]);
});

test("a client secret's file is read again for each token, without its last line break", async (t) => {
  const path = join(directoryFor(t), "secret");
  writeFileSync(path, `${clientSecret}\n`);
  const emulator = await emulatorFor(t);
  const { ask } = graphWith(t, emulator, {
    kind: "client-secret",
    secret: { from: "file", path, variable: "AZURE_CLIENT_SECRET_FILE" },
  });
  assert.equal(await ask(homeTenant), "listed");
  emulator.setEntra({ secrets: ["renewed"] });
  replace(path, "renewed\r\n");
  assert.equal(await ask(otherTenant), "listed");
});

test("a secret's file that is gone concerns the application, and is named", async (t) => {
  const path = join(directoryFor(t), "secret");
  const { ask } = graphWith(t, await emulatorFor(t), {
    kind: "client-secret",
    secret: { from: "file", path, variable: "AZURE_CLIENT_SECRET_FILE" },
  });
  assert.match(
    await ask(homeTenant),
    /^application: AZURE_CLIENT_SECRET_FILE=.*secret can't be read \(ENOENT\)\. /,
  );
});

test("client certificate: any tenant, and its expiry is known", async (t) => {
  const path = join(directoryFor(t), "app.pem");
  writeFileSync(path, pemOf(first));
  const emulator = await emulatorFor(t, { entra: { certificates: [first.cert] } });
  const { ask, expiries, notes } = graphWith(t, emulator, byFile(path));
  assert.deepEqual(expiries(), []);
  assert.deepEqual([await ask(homeTenant), await ask(otherTenant)], ["listed", "listed"]);
  const days = ((expiries()[0]?.expiresAtWallMs ?? 0) - Date.now()) / 86_400_000;
  assert.ok(days > 29 && days < 31, String(days));
  assert.equal(notes.length, 1);
});

test("a certificate of an authority that the application trusts, with its chain; without it, the fix is said", async (t) => {
  const path = join(directoryFor(t), "app.pem");
  writeFileSync(path, pemOf(signed) + ca.cert);
  const emulator = await emulatorFor(t, { entra: { certificates: [ca.cert] } });
  assert.equal(await graphWith(t, emulator, byFile(path, true)).ask(homeTenant), "listed");
  const answer = await graphWith(t, emulator, byFile(path)).ask(homeTenant);
  assert.match(
    answer,
    /^application: .*AADSTS700027.*thumbprint [0-9A-F]{40}, valid until .*Upload the certificate/,
  );
});

test("a certificate is renewed by a swap of Kubernetes' symbolic link: the next token is by the new one", async (t) => {
  const directory = directoryFor(t);
  const path = join(directory, "app.pem");
  writeFileSync(join(directory, "1.pem"), pemOf(first));
  writeFileSync(join(directory, "2.pem"), pemOf(second));
  symlinkSync("1.pem", path);
  const emulator = await emulatorFor(t, { entra: { certificates: [first.cert] } });
  const { ask, notes } = graphWith(t, emulator, byFile(path));
  assert.equal(await ask(homeTenant), "listed");
  emulator.setEntra({ certificates: [second.cert] });
  symlinkSync("2.pem", `${path}.new`);
  renameSync(`${path}.new`, path);
  assert.equal(await ask(otherTenant), "listed");
  assert.deepEqual(
    notes.map((note) => note.kind === "read" && note.isFirst),
    [true, false],
  );
});

test("a file that can't serve does not take the place of a good certificate, and is reported once", async (t) => {
  const path = join(directoryFor(t), "app.pem");
  writeFileSync(path, pemOf(first));
  const emulator = await emulatorFor(t, {
    allowedTenants: null,
    entra: { certificates: [first.cert, second.cert] },
  });
  const { ask, notes } = graphWith(t, emulator, byFile(path));
  assert.equal(await ask(homeTenant), "listed");
  replace(path, first.cert);
  for (const tenantId of [otherTenant, crypto.randomUUID()]) assert.equal(await ask(tenantId), "listed");
  rmSync(path);
  assert.equal(await ask(crypto.randomUUID()), "listed");
  replace(path, pemOf(second));
  assert.equal(await ask(crypto.randomUUID()), "listed");
  assert.deepEqual(
    notes.map((note) => (note.kind === "kept" ? note.problem.replace(path, "PATH") : note.isFirst)),
    [
      true,
      "AZURE_CLIENT_CERTIFICATE_PATH=PATH holds no private key: put it into the same file, before or after the certificate",
      "AZURE_CLIENT_CERTIFICATE_PATH=PATH can't be read (ENOENT)",
      false,
    ],
  );
});

test("workload identity: a token file that is read again for each token", async (t) => {
  const path = join(directoryFor(t), "token");
  writeFileSync(path, await serviceAccountToken({ exp: secondsFromNow(-3_600) }));
  const emulator = await emulatorFor(t, {
    allowedTenants: null,
    entra: { federated: [serviceAccountTrust] },
  });
  const open = () => graphWith(t, emulator, { kind: "workload-identity", tokenFile: path });
  assert.match(await open().ask(homeTenant), /^application: .*AADSTS700024.*why its file is not renewed\.$/);
  const { ask } = open();
  replace(path, await serviceAccountToken());
  assert.deepEqual([await ask(homeTenant), await ask(otherTenant)], ["listed", "listed"]);
  replace(path, "");
  assert.match(await ask(crypto.randomUUID()), /^application: AZURE_FEDERATED_TOKEN_FILE=.* is empty\. /);
});

test("workload identity that the application does not trust: what to compare", async (t) => {
  const path = join(directoryFor(t), "token");
  writeFileSync(path, await serviceAccountToken());
  const federated = [{ ...serviceAccountTrust, subject: "system:serviceaccount:apps:another" }];
  const emulator = await emulatorFor(t, { entra: { federated } });
  const { ask } = graphWith(t, emulator, { kind: "workload-identity", tokenFile: path });
  assert.match(await ask(homeTenant), /^application: .*AADSTS700213.*Compare issuer, subject and audience/);
});
