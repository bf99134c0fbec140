/**
 * The login with a token (SASL OAUTHBEARER, RFC 7628) for kafkajs. The login of kafkajs ignores the broker's refusal, which
 * comes as a challenge inside an answer without error: it continues as if logged in, and the broker then closes the connection.
 * This one logs in again on an open connection before the session that the broker granted ends (KIP-368).
 *
 * 1. A refusal is final only if the token is new: one that brokers accepted before is replaced, and the login tried again.
 */
import type { AuthenticationProviderArgs, Mechanism } from "kafkajs";
import type { NoToken, TokenKeeper } from "./token-keeper.ts";

export const oauthMechanism = "oauthbearer";

/** There is no token to log in with. */
export class NoTokenError extends Error {
  readonly failure: NoToken;

  constructor(failure: NoToken) {
    super(failure.detail);
    this.failure = failure;
  }
}

/** The broker does not take the token. In the form in which kafkajs throws what brokers answer. */
export class TokenRefusedError extends Error {
  readonly type = "SASL_AUTHENTICATION_FAILED";
}

const separator = "\u0001";
/** Ends the exchange after a challenge. */
const endOfExchange = Buffer.from(separator);
const loginRefused = "SASL_AUTHENTICATION_FAILED";

/** `extensions`: shown to the broker beside the token, by name. */
export function oauthLogin(tokens: TokenKeeper, extensions: ReadonlyMap<string, string>): Mechanism {
  return {
    mechanism: oauthMechanism,
    authenticationProvider: ({ saslAuthenticate }) => ({
      authenticate: () => logIn(tokens, extensions, saslAuthenticate),
    }),
  };
}

type SaslAuthenticate = AuthenticationProviderArgs["saslAuthenticate"];

async function logIn(
  tokens: TokenKeeper,
  extensions: ReadonlyMap<string, string>,
  saslAuthenticate: SaslAuthenticate,
): Promise<void> {
  const got = await tokens.get();
  if (!got.ok) throw new NoTokenError(got);
  const { token, isProven } = got;
  const refusal = await refusalOf(saslAuthenticate, firstMessage(token, extensions));
  if (refusal === null) return tokens.accepted(token);
  tokens.refused(token);
  if (isProven) throw new Error(`the broker refuses the token that it took before: ${refusal}`); // 1
  throw new TokenRefusedError(refusal);
}

/** Null: the broker takes it. */
async function refusalOf(saslAuthenticate: SaslAuthenticate, message: Buffer): Promise<string | null> {
  try {
    const challenge = await exchange(saslAuthenticate, message);
    if (challenge === "") return null;
    try {
      await exchange(saslAuthenticate, endOfExchange);
    } catch (error) {
      return wordsOf(error, challenge);
    }
    return challenge;
  } catch (error) {
    if ((error as { type?: unknown }).type !== loginRefused) throw error;
    return wordsOf(error, "no reason given");
  }
}

function wordsOf(error: unknown, otherwise: string): string {
  const { type, message } = error as { type?: unknown; message?: string };
  return type === loginRefused && message ? message : otherwise;
}

/** Returns what the broker answers. */
async function exchange(saslAuthenticate: SaslAuthenticate, message: Buffer): Promise<string> {
  const answer = await saslAuthenticate<string>({
    request: { encode: () => withLength(message) },
    response: { decode: (raw) => raw.subarray(4), parse: (text) => text.toString("utf8") },
  });
  return answer ?? "";
}

function firstMessage(token: string, extensions: ReadonlyMap<string, string>): Buffer {
  const fields = [`auth=Bearer ${token}`, ...[...extensions].map(([name, value]) => `${name}=${value}`)];
  return Buffer.from(`n,,${separator}${fields.join(separator)}${separator}${separator}`);
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
