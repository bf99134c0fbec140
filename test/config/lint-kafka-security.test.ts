import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadSettings } from "../../src/config/load.ts";

const directory = mkdtempSync(join(tmpdir(), "registrar-lint-"));
after(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, kind: string): string {
  const path = join(directory, name);
  writeFileSync(path, `-----BEGIN ${kind}-----\nAA==\n-----END ${kind}-----\n`);
  return path;
}

const cert = file("cert.pem", "CERTIFICATE");
const key = file("key.pem", "PRIVATE KEY");
const lockedKey = file("locked-key.pem", "ENCRYPTED PRIVATE KEY");
const absent = join(directory, "absent.pem");
const kafka = { KAFKA_BROKERS: "a:1", KAFKA_SSL: "true" };
const login = { KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p4ssw0rd" };

for (const [what, environment, expected] of [
  [
    "a mechanism without a login",
    { KAFKA_SASL_MECHANISM: "plain" },
    [
      [
        "KAFKA_SASL_USERNAME",
        "export KAFKA_SASL_USERNAME=connector-registrar (or: unset KAFKA_SASL_MECHANISM)",
      ],
      ["KAFKA_SASL_PASSWORD", "export KAFKA_SASL_PASSWORD='<the password>' (or: unset KAFKA_SASL_MECHANISM)"],
    ],
  ],
  [
    "a password without a mechanism",
    { KAFKA_SASL_PASSWORD: "p4ssw0rd" },
    [["KAFKA_SASL_MECHANISM", "export KAFKA_SASL_MECHANISM=scram-sha-512 (or: unset KAFKA_SASL_PASSWORD)"]],
  ],
  [
    "a client certificate without its key",
    { KAFKA_CLIENT_CERT_FILE: cert },
    [
      [
        "KAFKA_CLIENT_KEY_FILE",
        "export KAFKA_CLIENT_KEY_FILE='<path of a PEM file>' (or: unset KAFKA_CLIENT_CERT_FILE)",
      ],
    ],
  ],
  [
    "a key without its certificate",
    { KAFKA_CLIENT_KEY_FILE: key },
    [
      [
        "KAFKA_CLIENT_CERT_FILE",
        "export KAFKA_CLIENT_CERT_FILE='<path of a PEM file>' (or: unset KAFKA_CLIENT_KEY_FILE)",
      ],
    ],
  ],
  [
    "a file that is not there",
    { KAFKA_CA_FILE: absent },
    [["KAFKA_CA_FILE", "export KAFKA_CA_FILE='<path of a PEM file with a certificate>'"]],
  ],
  [
    "files in each other's place",
    { KAFKA_CLIENT_CERT_FILE: key, KAFKA_CLIENT_KEY_FILE: cert },
    [
      ["KAFKA_CLIENT_CERT_FILE", "export KAFKA_CLIENT_CERT_FILE='<path of a PEM file with a certificate>'"],
      ["KAFKA_CLIENT_KEY_FILE", "export KAFKA_CLIENT_KEY_FILE='<path of a PEM file with a private key>'"],
    ],
  ],
  [
    "a key with a passphrase",
    { KAFKA_CLIENT_CERT_FILE: cert, KAFKA_CLIENT_KEY_FILE: lockedKey },
    [
      [
        "KAFKA_CLIENT_KEY_FILE",
        `(umask 077; openssl pkey -in '${lockedKey}' -out '${lockedKey}.plain') && export KAFKA_CLIENT_KEY_FILE='${lockedKey}.plain'`,
      ],
    ],
  ],
] as const) {
  test(`refuses ${what}`, () => {
    const loaded = loadSettings({ environment: { ...kafka, ...environment } });
    assert.ok(!loaded.ok);
    assert.deepEqual(
      loaded.problems.map(({ variable, fix }) => [variable, fix]),
      expected,
    );
    assert.doesNotMatch(JSON.stringify(loaded), /p4ssw0rd/);
  });
}

test("says why a file can't be read", () => {
  const loaded = loadSettings({ environment: { ...kafka, KAFKA_CA_FILE: absent } });
  assert.ok(!loaded.ok);
  assert.deepEqual(loaded.problems[0], {
    variable: "KAFKA_CA_FILE",
    given: JSON.stringify(absent),
    problem: "can't be read: ENOENT",
    fix: "export KAFKA_CA_FILE='<path of a PEM file with a certificate>'",
  });
});

test("all of it, complete, is silent", () => {
  const files = { KAFKA_CA_FILE: cert, KAFKA_CLIENT_CERT_FILE: cert, KAFKA_CLIENT_KEY_FILE: key };
  const loaded = loadSettings({ environment: { ...kafka, ...login, ...files } });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  assert.deepEqual(loaded.warnings, []);
});

for (const [what, environment, expected] of [
  ["a password in the clear", { KAFKA_BROKERS: "a:1", ...login }, /the password travels unencrypted/],
  [
    "files without TLS",
    { KAFKA_BROKERS: "a:1", KAFKA_CA_FILE: absent },
    /^KAFKA_CA_FILE has no effect without KAFKA_SSL=true/,
  ],
  ["TLS without Kafka", { KAFKA_SSL: "true" }, /^KAFKA_SSL has no effect without KAFKA_BROKERS/],
  ["another tool's name", { KAFKA_SECURITY_PROTOCOL: "SASL_SSL" }, /did you mean KAFKA_SSL\?/],
] as const) {
  test(`warns of ${what}`, () => {
    const loaded = loadSettings({ environment });
    assert.ok(loaded.ok, JSON.stringify(loaded));
    assert.equal(loaded.warnings.length, 1, loaded.warnings.join("\n"));
    assert.match(loaded.warnings[0]!, expected);
    assert.doesNotMatch(loaded.warnings[0]!, /p4ssw0rd/);
  });
}

test("there is no flag for the password", () => {
  const flags = { "kafka-sasl-password": "p4ssw0rd" };
  const loaded = loadSettings({ environment: { KAFKA_BROKERS: "a:1" }, flags });
  assert.ok(loaded.ok);
  assert.equal(loaded.settings.kafkaSaslPassword, null);
});
