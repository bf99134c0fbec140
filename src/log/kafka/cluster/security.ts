/** How to reach brokers that ask for TLS or a login: from files and names to kafkajs's words. */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { KafkaConfig, SASLOptions } from "kafkajs";
import type { Problem } from "../../../problem.ts";
import { oauthLogin, oauthMechanism } from "./oauth-login.ts";
import type { TokenKeeper } from "./token-keeper.ts";

export interface SecuritySettings {
  /** Null: plain TCP. Paths are of PEM files; no CA file: the authorities that Node.js trusts. */
  readonly tls: {
    readonly caFile: string | null;
    readonly clientCertFile: string | null;
    readonly clientKeyFile: string | null;
  } | null;
  /** Null: no login. */
  readonly sasl: PasswordLogin | TokenLogin | null;
}

interface PasswordLogin {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

interface TokenLogin {
  readonly mechanism: typeof oauthMechanism;
  readonly tokens: TokenKeeper;
  /** Shown to the broker beside the token, by name. */
  readonly extensions: ReadonlyMap<string, string>;
}

export type KafkajsSecurity = Pick<KafkaConfig, "ssl" | "sasl">;

export type SecurityResult =
  /** `tokens`: null where the login shows none. */
  | { readonly ok: true; readonly kafkajs: KafkajsSecurity; readonly tokens: TokenKeeper | null }
  | { readonly ok: false; readonly problem: Problem };

/** Reads the files, and finds out whether TLS can use them. */
export async function readSecurity({ tls, sasl }: SecuritySettings): Promise<SecurityResult> {
  const login = sasl === null ? {} : { sasl: inKafkajsWords(sasl) };
  const tokens = sasl?.mechanism === oauthMechanism ? sasl.tokens : null;
  if (tls === null) return { ok: true, kafkajs: login, tokens };
  try {
    const [ca, cert, key] = await Promise.all(
      [tls.caFile, tls.clientCertFile, tls.clientKeyFile].map((path) => path && readFile(path, "utf8")),
    );
    const ssl = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
    createSecureContext(ssl);
    return { ok: true, kafkajs: { ...login, ssl }, tokens };
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
function inKafkajsWords(sasl: PasswordLogin | TokenLogin): NonNullable<KafkajsSecurity["sasl"]> {
  if (sasl.mechanism === oauthMechanism) return oauthLogin(sasl.tokens, sasl.extensions);
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(sasl)) as SASLOptions;
}
