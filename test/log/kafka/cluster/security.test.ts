/** TLS and logins against a real broker of this file's own, with a port for each way in. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { skipWithout } from "../../../../lab/testkit/broker.ts";
import { systemClock } from "../../../../src/clock.ts";
import { readSecurity, type SecuritySettings } from "../../../../src/log/kafka/cluster/security.ts";
import { type OpenKafkaResult, openKafkaLog } from "../../../../src/log/kafka/kafka-log.ts";
import { runCli } from "../../../cli/run-cli.ts";
import { roundTrip, usualSettings } from "../opened-log.ts";
import { password, startSecureBroker, user } from "../secure-broker.ts";

const { broker, ports, files, stop } = await startSecureBroker();
after(stop);
const options = { skip: skipWithout(broker), timeout: 60_000 };

const wrongPassword = "wrong-and-secret";
const tls = { caFile: files.ca, clientCertFile: null, clientKeyFile: null };
const sasl = { mechanism: "plain", username: user, password } as const;
const mechanisms = ["plain", "scram-sha-256", "scram-sha-512"] as const;

async function open(at: string, security: SecuritySettings, prefix = "t."): Promise<OpenKafkaResult> {
  const read = await readSecurity(security);
  assert.ok(read.ok, JSON.stringify(read));
  const settings = {
    ...usualSettings,
    brokers: [at],
    groupId: "group",
    topicPrefix: prefix,
    partitionCount: 1,
    kafkajs: read.kafkajs,
  };
  return openKafkaLog(settings, systemClock);
}

/** Produces one record and reads it back. */
async function roundTripAt(at: string, security: SecuritySettings, prefix: string): Promise<void> {
  const opened = await open(at, security, prefix);
  assert.ok(opened.ok, JSON.stringify(opened));
  const { log } = opened;
  try {
    await roundTrip(log, prefix);
  } finally {
    await log.close();
  }
}

for (const mechanism of mechanisms) {
  test(`${mechanism} over TLS: a record goes in and comes out`, options, async () => {
    await roundTripAt(ports.saslSsl, { tls, sasl: { ...sasl, mechanism } }, `${mechanism}.`);
  });

  test(
    `${mechanism}: a wrong password is one line, is not tried again, and is not shown`,
    options,
    async () => {
      const login = { ...sasl, mechanism, password: wrongPassword };
      const opened = await open(ports.saslSsl, { tls, sasl: login });
      assert.ok(!opened.ok);
      const { code, message, fix } = opened.problem;
      assert.deepEqual([code, opened.retryable], ["kafka-login", false]);
      assert.match(message, /refuses the login of KAFKA_SASL_USERNAME=registrar: Authentication failed/);
      assert.ok(message.startsWith(`Kafka at ${ports.saslSsl} `), message);
      assert.match(fix, new RegExp(`KAFKA_SASL_PASSWORD .* KAFKA_SASL_MECHANISM=${mechanism}\\.$`));
      assert.doesNotMatch(message + fix, new RegExp(`${wrongPassword}|\n`));
    },
  );
}

test("a client certificate: a record goes in and comes out", options, async () => {
  const mutual = { ...tls, clientCertFile: files.clientCert, clientKeyFile: files.clientKey };
  await roundTripAt(ports.mutual, { tls: mutual, sasl: null }, "mutual.");
});

const stranger = { ...tls, clientCertFile: files.strangerCert, clientKeyFile: files.strangerKey };

for (const [name, at, security, message, fix] of [
  [
    "a certificate authority that is not the broker's",
    ports.saslSsl,
    { tls: { ...tls, caFile: files.otherCa }, sasl },
    /signed by no authority trusted here/,
    /^Type: export KAFKA_CA_FILE='/,
  ],
  [
    "a name that the certificate does not have",
    ports.saslSsl.replace("127.0.0.1", "localhost"),
    { tls, sasl },
    /has another name: .*localhost/,
    /^Type in KAFKA_BROKERS a name/,
  ],
  [
    "plain text against a TLS port",
    ports.saslSsl,
    { tls: null, sasl },
    /this port speaks TLS, and KAFKA_SSL is false/,
    /^Type: export KAFKA_SSL=true, .*export KAFKA_CA_FILE='/,
  ],
  [
    "no login where one is asked for",
    ports.saslSsl,
    { tls, sasl: null },
    /asks for a login/,
    /^Type KAFKA_SASL_MECHANISM, /,
  ],
  [
    "a login where none is taken",
    ports.plain,
    { tls: null, sasl },
    /takes no login/,
    /or unset KAFKA_SASL_MECHANISM/,
  ],
  [
    "no client certificate where one is asked for",
    ports.mutual,
    { tls, sasl: null },
    /refuses TLS without a certificate of this client/,
    /^Type KAFKA_CLIENT_CERT_FILE and KAFKA_CLIENT_KEY_FILE/,
  ],
  [
    "a client certificate of a stranger",
    ports.mutual,
    { tls: stranger, sasl: null },
    /refuses this client's certificate/,
    /^Type KAFKA_CLIENT_CERT_FILE and KAFKA_CLIENT_KEY_FILE/,
  ],
] as const satisfies readonly (readonly [string, string, SecuritySettings, RegExp, RegExp])[]) {
  test(`${name}: what is wrong, where, what to type; it is not tried again`, options, async () => {
    const opened = await open(at, security);
    assert.ok(!opened.ok);
    assert.match(opened.problem.message, message);
    assert.ok(opened.problem.message.startsWith(`Kafka at ${at}`), opened.problem.message);
    assert.match(opened.problem.fix, fix);
    assert.equal(opened.retryable, false);
  });
}

test(
  "TLS against a port without is tried again, as an outage looks the same, and says what to look at",
  options,
  async () => {
    const opened = await open(ports.plain, { tls, sasl: null });
    assert.ok(!opened.ok);
    assert.equal(opened.retryable, true);
    assert.match(opened.problem.message, /can't be reached: .*type: export KAFKA_SSL=false/);
  },
);

test("a key that is not the certificate's is found before anything is sent", async () => {
  const mixed = { ...tls, clientCertFile: files.clientCert, clientKeyFile: files.strangerKey };
  const read = await readSecurity({ tls: mixed, sasl: null });
  assert.ok(!read.ok);
  assert.match(read.problem.message, /KAFKA_CLIENT_KEY_FILE: .*mismatch/);
});

const environment = {
  KAFKA_BROKERS: ports.saslSsl,
  KAFKA_SSL: "true",
  KAFKA_CA_FILE: files.ca,
  KAFKA_SASL_MECHANISM: "scram-sha-512",
  KAFKA_SASL_USERNAME: user,
};

test("emit with a wrong password ends with 2 and does not show it", options, async () => {
  const args = ["emit", "--count", "1", "--tenant", "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5"];
  const { code, stderr } = await runCli(args, { ...environment, KAFKA_SASL_PASSWORD: wrongPassword });
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /^connector-registrar: Kafka at .* refuses the login of .*\n {2}Type KAFKA_SASL_.*\n$/,
  );
  assert.ok(!stderr.includes(wrongPassword));
});

test("the demo works on such a broker, and takes its topics away", options, async () => {
  const args = ["demo", "--kafka", "--events", "5", "--faults", "none"];
  const { code, stdout, stderr } = await runCli(args, { ...environment, KAFKA_SASL_PASSWORD: password });
  assert.equal(code, 0, stdout + stderr);
  assert.doesNotMatch(stderr, /may be left/);
});
