/**
 * What an application shows to the authority in place of a secret: a JSON web token, signed with its certificate's key
 * (RFC 7523, in the form that MSAL gives it). MSAL reads the key out of its text for each token, which costs as much as
 * the signature itself: here the key is kept, and the signature is made beside the main thread.
 */
import { constants, randomUUID, sign } from "node:crypto";
import type { Certificate } from "./certificate.ts";

export interface AssertionClaims {
  readonly clientId: string;
  /** The token endpoint that it is for. */
  readonly audience: string;
  /** The certificate itself goes along, with those that signed it. */
  readonly sendChain: boolean;
}

const lifeSeconds = 600;

export async function signAssertion(
  { key, thumbprintSha256, chain }: Certificate,
  { clientId, audience, sendChain }: AssertionClaims,
  wallMs: number,
): Promise<string> {
  const header = {
    typ: "JWT",
    alg: "PS256",
    "x5t#S256": thumbprintSha256,
    ...(sendChain ? { x5c: chain } : {}),
  };
  const nowSeconds = Math.floor(wallMs / 1000);
  const claims = {
    aud: audience,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    nbf: nowSeconds,
    exp: nowSeconds + lifeSeconds,
  };
  const signed = `${encode(header)}.${encode(claims)}`;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const by = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  sign("sha256", Buffer.from(signed), by, (error, signature) =>
    error === null ? resolve(signature) : reject(error),
  );
  return `${signed}.${(await promise).toString("base64url")}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
