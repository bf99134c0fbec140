/** Certificates out of PEM and PFX files, as OpenSSL and others write them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readCertificate } from "../../../src/graph/credentials/certificate.ts";
import { certificate, type TestCertificate } from "../../support/certificates.ts";

const password = "a password with ünicode";
const ca = await certificate("authority", { isCa: true });
const own = await certificate("app", { issuer: ca });
const other = await certificate("another");

function encrypted({ key }: TestCertificate): string {
  return createPrivateKey(key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: password,
  }) as string;
}

/** OpenSSL's own words for how the file is protected. */
function pfx(more: readonly string[], { cert, key } = own, secret = password): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "pfx-"));
  try {
    const file = (name: string, text: string) => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const args = ["pkcs12", "-export", "-in", file("cert.pem", cert), "-inkey", file("key.pem", key)];
    const out = join(directory, "out.pfx");
    execFileSync("openssl", [
      ...args,
      "-certfile",
      file("ca.pem", ca.cert),
      "-out",
      out,
      "-passout",
      `file:${file("password", `${secret}\n`)}`,
      ...more,
    ]);
    return readFileSync(out);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const noIterations = ["-iter", "1"];
const good: [string, Buffer, string][] = [
  ["key, then certificate", Buffer.from(`${own.key}\n${own.cert}`), ""],
  [
    "certificate, then key, between texts",
    Buffer.from(`Bag Attributes\n  name\n${own.cert}\ntext\n${own.key}`),
    "",
  ],
  ["the chain before the certificate", Buffer.from(`${ca.cert}\n${own.cert}\n${own.key}`), ""],
  ["lines that end as on Windows", Buffer.from(`${own.key}\n${own.cert}`.replaceAll("\n", "\r\n")), ""],
  ["a key with a password", Buffer.from(`${encrypted(own)}\n${own.cert}`), password],
  ["a password that the key does not need", Buffer.from(`${own.key}\n${own.cert}`), password],
  ["PFX as OpenSSL 3 writes it (AES-256, PBKDF2)", pfx([]), password],
  [
    "PFX as Windows writes it (3DES)",
    pfx(["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"]),
    password,
  ],
  ["PFX as of old (RC2-40)", pfx(["-legacy", "-descert", "-macalg", "sha1", ...noIterations]), password],
  [
    "PFX without a password, as key vaults write it",
    pfx(["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES"], own, ""),
    "",
  ],
];
for (const [what, bytes, secret] of good) {
  test(`read: ${what}`, async () => {
    const read = await readCertificate(bytes, secret);
    assert.ok(read.ok, JSON.stringify(read));
    const { pem, thumbprint, notAfterMs } = read.certificate;
    const wanted = new X509Certificate(own.cert);
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    assert.deepEqual(new X509Certificate(blocks[0]!).raw, wanted.raw, "the certificate itself is first");
    assert.ok(createPrivateKey(pem).equals(createPrivateKey(own.key)));
    assert.match(thumbprint, /^[0-9A-F]{40}$/);
    assert.equal(notAfterMs, wanted.validToDate.getTime());
  });
}

test("a chain is kept behind the certificate, from PEM and PFX", async () => {
  for (const [bytes, secret] of [
    [Buffer.from(`${ca.cert}\n${own.cert}\n${own.key}`), ""],
    [pfx([]), password],
  ] as const) {
    const read = await readCertificate(bytes, secret);
    assert.ok(read.ok);
    assert.equal(read.certificate.pem.match(/BEGIN CERTIFICATE/g)?.length, 2);
  }
});

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
  type: "pkcs8",
  format: "pem",
});
const bad: [string, Buffer, string, RegExp][] = [
  ["an empty file", Buffer.from(""), "", /^is empty$/],
  ["neither PEM nor PFX", Buffer.from("hello"), "", /^is neither PEM nor a PFX file/],
  ["a certificate without its key", Buffer.from(own.cert), "", /^holds no private key/],
  ["a key without a certificate", Buffer.from(own.key), "", /^holds no certificate$/],
  ["a key of another certificate", Buffer.from(other.key + own.cert), "", /^holds a private key of another/],
  [
    "a key with a password that is not given",
    Buffer.from(encrypted(own) + own.cert),
    "",
    /PASSWORD is not set$/,
  ],
  ["a key with another password", Buffer.from(encrypted(own) + own.cert), "x", /PASSWORD does not open$/],
  [
    "a key that is cut",
    Buffer.from(own.key.replace(/\n.{64}\n/, "\n") + own.cert),
    "",
    /key that can't be read$/,
  ],
  ["a key that is not RSA", Buffer.from(ec + own.cert), "", /^holds a key that is not RSA/],
  [
    "a certificate that is cut",
    Buffer.from(own.key + own.cert.replace(/\n.{64}\n/, "\n")),
    "",
    /certificate that can't be read$/,
  ],
  ["PFX with another password", pfx([]), "x", /AZURE_CLIENT_CERTIFICATE_PASSWORD is not its password$/],
  ["PFX that is cut", pfx([]).subarray(0, 500), password, /^is neither PEM nor a PFX file/],
  ["PFX without a key", pfx(["-nokeys"]), password, /^holds no private key/],
];
for (const [what, bytes, secret, problem] of bad) {
  test(`refused, without what it holds: ${what}`, async () => {
    const read = await readCertificate(bytes, secret);
    assert.ok(!read.ok);
    assert.match(read.problem, problem);
    assert.ok(read.problem.length < 120, read.problem);
  });
}
