/** A broker of its own with a port for each way in: TLS with login, TLS with client certificates, login without TLS. */
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
  readonly ports: Readonly<Record<"plain" | "saslSsl" | "mutual" | "saslPlain", string>>;
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
  const server = await leaf("broker", ca, [{ type: 7, ip: "127.0.0.1" }]);
  const client = await leaf("client", ca, []);
  const stranger = await leaf("stranger", otherCa, []);
  const [plain, saslSsl, mutual, saslPlain, controller] = await Promise.all(
    Array.from({ length: 5 }, async () => `127.0.0.1:${await freePort()}`),
  );
  const ports = { plain: plain!, saslSsl: saslSsl!, mutual: mutual!, saslPlain: saslPlain! };
  const mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"];
  const broker = await startOwnBroker(
    {
      listeners: `PLAINTEXT://${plain},SASL_SSL://${saslSsl},MUTUAL://${mutual},SASL_PLAIN://${saslPlain},CONTROLLER://${controller}`,
      "listener.security.protocol.map":
        "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MUTUAL:SSL,SASL_PLAIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
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

type AltNames = { type: 7; ip: string }[];

function leaf(name: string, ca: { cert: string; private: string }, altNames: AltNames) {
  return generate([{ name: "commonName", value: name }], {
    ...common,
    ca: { cert: ca.cert, key: ca.private },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      ...(altNames.length > 0 ? [{ name: "subjectAltName" as const, altNames }] : []),
    ],
  });
}

/** A text of several lines as the value of a Java property. */
function inProperties(text: string): string {
  return text.trim().replaceAll("\r", "").replaceAll("\n", "\\n");
}
