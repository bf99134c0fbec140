/** The key that signs what managed identities show to Entra. Made when it is first needed: that takes a while. */
import { createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

export interface IdentityKeys {
  readonly privateKey: KeyObject;
  /** As a JSON web key, with its `kid`. */
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

const keyId = "emulator-identity";

export function lazyIdentityKeys(): () => Promise<IdentityKeys> {
  let keys: Promise<IdentityKeys> | null = null;
  return () => {
    keys ??= makeKeys();
    return keys;
  };
}

async function makeKeys(): Promise<IdentityKeys> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const jwk = createPublicKey(privateKey as never).export({ format: "jwk" });
  return { privateKey, publicJwk: { ...jwk, kid: keyId, alg: "RS256", use: "sig" } };
}
