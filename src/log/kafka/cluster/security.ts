/** How to reach brokers that ask for TLS or a login: from files and names to kafkajs's words. */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { KafkaConfig, SASLOptions } from "kafkajs";
import type { Problem } from "../../../problem.ts";

export interface SecuritySettings {
  /** Null: plain TCP. Paths are of PEM files; no CA file: the authorities that Node.js trusts. */
  readonly tls: {
    readonly caFile: string | null;
    readonly clientCertFile: string | null;
    readonly clientKeyFile: string | null;
  } | null;
  /** Null: no login. */
  readonly sasl: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  } | null;
}

export type KafkajsSecurity = Pick<KafkaConfig, "ssl" | "sasl">;

export type SecurityResult =
  | { readonly ok: true; readonly kafkajs: KafkajsSecurity }
  | { readonly ok: false; readonly problem: Problem };

/** Reads the files, and finds out whether TLS can use them. */
export async function readSecurity({ tls, sasl }: SecuritySettings): Promise<SecurityResult> {
  const login = sasl === null ? {} : { sasl: copied(sasl) };
  if (tls === null) return { ok: true, kafkajs: login };
  try {
    const [ca, cert, key] = await Promise.all(
      [tls.caFile, tls.clientCertFile, tls.clientKeyFile].map((path) => path && readFile(path, "utf8")),
    );
    const ssl = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
    createSecureContext(ssl);
    return { ok: true, kafkajs: { ...login, ssl } };
  } catch (error) {
    return {
      ok: false,
      problem: {
        code: "kafka-tls-files",
        message: `TLS to Kafka can't use KAFKA_CA_FILE, KAFKA_CLIENT_CERT_FILE or KAFKA_CLIENT_KEY_FILE: ${(error as Error).message}`,
        fix: "Type the path of a PEM file in each, and in KAFKA_CLIENT_KEY_FILE the key of that certificate.",
      },
    };
  }
}

/** kafkajs writes into it. A password that is read again at each login stays one. */
function copied(sasl: NonNullable<SecuritySettings["sasl"]>): SASLOptions {
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(sasl)) as SASLOptions;
}
