/**
 * `doctor` against listeners with one thing wrong in turn: what is wrong, where, what to type, and whether it may pass by itself. The
 * brokers are real; each case is the settings of a worker that is set up well, but for one.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { skipWithout } from "../../lab/testkit/broker.ts";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { password, startSecureBroker, user } from "../log/kafka/secure-broker.ts";
import { type Environment, findingOf } from "./doctor-finding.ts";

interface Wrong {
  readonly name: string;
  readonly settings: Environment;
  /** What is wrong. */
  readonly text: RegExp;
  /** What to type. */
  readonly fix: RegExp;
  /** It looks as an outage does. Default: it has to be changed. */
  readonly mayPass?: true;
  /** What must not be shown. */
  readonly secret?: string;
}

function holds(cases: readonly Wrong[], options: { skip: string | false; timeout: number }): void {
  for (const { name, settings, text, fix, mayPass = false, secret } of cases)
    test(`doctor: ${name}`, options, async () => {
      const found = await findingOf(settings);
      assert.equal(found.status, "wrong", JSON.stringify(found));
      assert.match(found.text, text);
      assert.ok(found.text.includes(settings.KAFKA_BROKERS!), `it says where: ${found.text}`);
      assert.match(found.fix, fix);
      assert.equal(found.retryable, mayPass);
      if (secret !== undefined) assert.ok(!(found.text + found.fix).includes(secret));
    });
}

const { broker, ports, files, stop } = await startSecureBroker();
after(stop);
const secure = { skip: skipWithout(broker), timeout: 120_000 };
const well: Environment = {
  KAFKA_BROKERS: ports.saslSsl,
  KAFKA_SSL: "true",
  KAFKA_CA_FILE: files.ca,
  KAFKA_SASL_MECHANISM: "scram-sha-512",
  KAFKA_SASL_USERNAME: user,
  KAFKA_SASL_PASSWORD: password,
};
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(well).filter(([name]) => !names.includes(name)));

test("doctor: if only the topics are missing, it says so", secure, async () => {
  const found = await findingOf(well);
  assert.deepEqual([found.status, found.text.includes("the topics are not there yet")], ["note", true]);
});

const typo = `127.0.0.1:${await freePort()}`;
holds(
  [
    {
      name: "a port on which nothing listens",
      settings: { ...well, KAFKA_BROKERS: typo },
      text: /can't be reached: .*(ECONNREFUSED|refused)/,
      fix: /^Check KAFKA_BROKERS/,
      mayPass: true,
    },
    {
      name: "TLS where the port speaks none",
      settings: {
        ...without("KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"),
        KAFKA_BROKERS: ports.plain,
      },
      text: /type: export KAFKA_SSL=false/,
      fix: /^Check KAFKA_BROKERS/,
      mayPass: true,
    },
    {
      name: "no TLS where the port speaks it",
      settings: without("KAFKA_SSL", "KAFKA_CA_FILE"),
      text: /this port speaks TLS, and KAFKA_SSL is false/,
      fix: /^Type: export KAFKA_SSL=true/,
    },
    {
      name: "an authority that is not the broker's",
      settings: { ...well, KAFKA_CA_FILE: files.otherCa },
      text: /signed by no authority trusted here/,
      fix: /^Type: export KAFKA_CA_FILE='/,
    },
    {
      name: "a host name that the certificate does not have",
      settings: { ...well, KAFKA_BROKERS: ports.saslSsl.replace("127.0.0.1", "localhost") },
      text: /has another name: .*localhost/,
      fix: /^Type in KAFKA_BROKERS a name that the certificate has/,
    },
    {
      name: "a certificate that has expired",
      settings: { ...well, KAFKA_BROKERS: ports.expired },
      text: /the broker's certificate is not valid now \(CERT_HAS_EXPIRED\)/,
      fix: /^Renew it, or set this machine's clock/,
    },
    {
      name: "a wrong password",
      settings: { ...well, KAFKA_SASL_PASSWORD: "wrong-and-secret" },
      text: /refuses the login of KAFKA_SASL_USERNAME=registrar/,
      fix: /^Type KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/,
      secret: "wrong-and-secret",
    },
    {
      name: "a mechanism that the port does not take",
      settings: { ...well, KAFKA_BROKERS: ports.scramOnly, KAFKA_SASL_MECHANISM: "plain" },
      text: /does not take KAFKA_SASL_MECHANISM=plain/,
      fix: /^Type in KAFKA_SASL_MECHANISM one of the broker's sasl\.enabled\.mechanisms/,
    },
    {
      name: "no login where the port asks for one",
      settings: without("KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"),
      text: /this port asks for a login, and KAFKA_SASL_MECHANISM is unset/,
      fix: /^Type KAFKA_SASL_MECHANISM, /,
    },
    {
      name: "an advertised address that can't be reached from here",
      settings: { ...without("KAFKA_SSL", "KAFKA_CA_FILE"), KAFKA_BROKERS: ports.astray },
      text: /answers, and names 127\.0\.0\.1:\d+ as a broker's address, which can't be reached from here/,
      fix: /advertised\.listeners/,
      mayPass: true,
    },
  ],
  secure,
);
