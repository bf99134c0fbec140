/**
 * A broker of its own with a port for each way in: TLS with login, TLS with client certificates, login without TLS; and for ways that
 * fail: an expired certificate, SCRAM alone, an advertised address at which nothing listens.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { startOwnBroker } from "../../../lab/testkit/broker.ts";
import { freePort } from "../../../lab/testkit/broker-port.ts";
import type { BrokerResult } from "../../../lab/testkit/broker-result.ts";

export const user = "registrar";
export const password = "correct horse; battery=staple";

export interface SecureBroker {
  readonly broker: BrokerResult;
  /** host:port of each way in. */
  readonly ports: Readonly<
    Record<"plain" | "saslSsl" | "mutual" | "saslPlain" | "expired" | "scramOnly" | "astray", string>
  >;
  /** Paths of PEM files; `otherCa` signed nothing that the broker shows, nor `strangerCert`'s like what it trusts. */
  readonly files: Readonly<
    Record<"ca" | "otherCa" | "clientCert" | "clientKey" | "strangerCert" | "strangerKey", string>
  >;
  stop(): Promise<void>;
}

export async function startSecureBroker(): Promise<SecureBroker> {
  const directory = mkdtempSync(join(tmpdir(), "registrar-tls-"));
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const ca = await authority("Broker CA");
  const otherCa = await authority("Another CA");
  const server = await leaf("broker", ca, { ip: "127.0.0.1" });
  const old = await leaf("old", ca, { ip: "127.0.0.1", validForDays: -1 });
  const client = await leaf("client", ca);
  const stranger = await leaf("stranger", otherCa);
  const [plain, saslSsl, mutual, saslPlain, expired, scramOnly, astray, nowhere, controller] =
    await Promise.all(Array.from({ length: 9 }, async () => `127.0.0.1:${await freePort()}`));
  const ports = {
    ...{ plain: plain!, saslSsl: saslSsl!, mutual: mutual!, saslPlain: saslPlain! },
    ...{ expired: expired!, scramOnly: scramOnly!, astray: astray! },
  };
  const others = `PLAINTEXT://${plain},SASL_SSL://${saslSsl},MUTUAL://${mutual},SASL_PLAIN://${saslPlain},EXPIRED://${expired},SCRAM://${scramOnly}`;
  const mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"];
  const broker = await startOwnBroker(
    {
      listeners: `${others},ASTRAY://${astray},CONTROLLER://${controller}`,
      "advertised.listeners": `${others},ASTRAY://${nowhere}`,
      "listener.security.protocol.map":
        "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MUTUAL:SSL,SASL_PLAIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT,EXPIRED:SASL_SSL,SCRAM:SASL_SSL,ASTRAY:SASL_PLAINTEXT",
      "listener.name.expired.ssl.keystore.certificate.chain": inProperties(old.cert),
      "listener.name.expired.ssl.keystore.key": inProperties(old.private),
      "listener.name.expired.ssl.keystore.type": "PEM",
      "listener.name.scram.sasl.enabled.mechanisms": mechanisms.join(","),
      "controller.quorum.voters": `1@${controller}`,
      "ssl.keystore.type": "PEM",
      "ssl.keystore.certificate.chain": inProperties(server.cert),
      "ssl.keystore.key": inProperties(server.private),
      "ssl.truststore.type": "PEM",
      "ssl.truststore.certificates": inProperties(ca.cert),
      "listener.name.mutual.ssl.client.auth": "required",
      "sasl.enabled.mechanisms": ["PLAIN", ...mechanisms].join(","),
      ...login("sasl_ssl"),
      ...login("sasl_plain"),
      ...login("expired"),
      ...login("scram"),
      ...login("astray"),
    },
    mechanisms.map((mechanism) => `${mechanism}=[name=${user},password=${password}]`),
  );
  return {
    broker,
    ports,
    files: {
      ca: file("ca.pem", ca.cert),
      otherCa: file("other-ca.pem", otherCa.cert),
      clientCert: file("client.pem", client.cert),
      clientKey: file("client-key.pem", client.private),
      strangerCert: file("stranger.pem", stranger.cert),
      strangerKey: file("stranger-key.pem", stranger.private),
    },
    async stop() {
      rmSync(directory, { recursive: true, force: true });
      if (broker.ok) await broker.stop();
    },
  };
}

function login(listener: string): Record<string, string> {
  const modules = "org.apache.kafka.common.security";
  const scram = `${modules}.scram.ScramLoginModule required;`;
  const prefix = `listener.name.${listener}`;
  return {
    [`${prefix}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required user_${user}="${password}";`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: scram,
  };
}

const common = { algorithm: "sha256", keyType: "ec" as const };

function authority(name: string) {
  return generate([{ name: "commonName", value: name }], {
    ...common,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
}

type Authority = Awaited<ReturnType<typeof authority>>;

const dayMs = 86_400_000;

interface LeafOptions {
  /** The address that it is for; without one it is a client's. */
  readonly ip?: string;
  /** From now on; it began ten days ago. */
  readonly validForDays?: number;
}

function leaf(name: string, ca: Authority, { ip, validForDays = 365 }: LeafOptions = {}) {
  return generate([{ name: "commonName", value: name }], {
    ...common,
    notBeforeDate: new Date(Date.now() - 10 * dayMs),
    notAfterDate: new Date(Date.now() + validForDays * dayMs),
    ca: { cert: ca.cert, key: ca.private },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      ...(ip === undefined
        ? []
        : [{ name: "subjectAltName" as const, altNames: [{ type: 7 as const, ip }] }]),
    ],
  });
}

/** A text of several lines as the value of a Java property. */
function inProperties(text: string): string {
  return text.trim().replaceAll("\r", "").replaceAll("\n", "\\n");
}
