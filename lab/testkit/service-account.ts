/** The token of a Kubernetes service account, and what an application has to trust so that it counts as its credential. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";

const service = generateKeyPairSync("rsa", { modulusLength: 2048 });

export const serviceAccountTrust = {
  issuer: "https://oidc.example/cluster/",
  subject: "system:serviceaccount:apps:registrar",
  audience: "api://AzureADTokenExchange",
  keys: [{ ...service.publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256" }],
};

/** For an `exp` claim: seconds since 1970. */
export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** As a cluster issues it, for an hour; `claims` replace its own. */
export function serviceAccountToken(
  claims: Readonly<Record<string, unknown>> = {},
  key: KeyObject = service.privateKey,
): Promise<string> {
  const { issuer: iss, subject: sub, audience: aud } = serviceAccountTrust;
  return new SignJWT({ iss, sub, aud: [aud], exp: secondsFromNow(3_600), ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "1" })
    .sign(key);
}
