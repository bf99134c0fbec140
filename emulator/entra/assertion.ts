/**
 * Client assertions: JSON web tokens that stand for a secret (RFC 7523). One that the application issued for itself is
 * signed with the key of one of its certificates; any other one must come from an issuer that it trusts.
 */

import { createHash, X509Certificate } from "node:crypto";
import type { JWTPayload, ProtectedHeaderParameters } from "jose";
import type { IdentityKeys } from "./identity-keys.ts";
import { invalidClient, type Refusal } from "./refusal.ts";
import type { EntraState } from "./state.ts";

export interface Presented {
  readonly assertion: string;
  readonly clientId: string;
  /** What an assertion of the application itself may be addressed to. */
  readonly audiences: readonly string[];
  readonly wallMs: number;
  readonly identityKeys: () => Promise<IdentityKeys>;
}

type Jose = typeof import("jose");
type Verified = Parameters<Jose["jwtVerify"]>[1];

/** Entra allows for clocks that differ. */
const clockToleranceSeconds = 300;
const algorithms = ["RS256", "PS256"];

/** Null: it is the application. */
export async function checkAssertion(state: EntraState, presented: Presented): Promise<Refusal | null> {
  const jose = await import("jose");
  let claims: JWTPayload;
  let header: ProtectedHeaderParameters;
  try {
    claims = jose.decodeJwt(presented.assertion);
    header = jose.decodeProtectedHeader(presented.assertion);
  } catch {
    return invalidClient(50027, "JWT token is invalid or malformed.");
  }
  const isOwn = header["x5t#S256"] !== undefined || header.x5t !== undefined;
  return isOwn
    ? checkOwn({ jose, state }, presented, { claims, header })
    : checkFederated(jose, state, { presented, claims });
}

async function checkOwn(
  { jose, state }: { readonly jose: Jose; readonly state: EntraState },
  presented: Presented,
  { claims, header }: { readonly claims: JWTPayload; readonly header: ProtectedHeaderParameters },
): Promise<Refusal | null> {
  const { clientId, audiences } = presented;
  const isApp = (claim: unknown) => typeof claim === "string" && sameText(claim, clientId);
  if (!isApp(claims.iss) || !isApp(claims.sub)) {
    return invalidClient(
      700021,
      "Client assertion application identifier doesn't match 'client_id' parameter.",
    );
  }
  const certificate = certificateOf(state, header);
  if (certificate === null || state.certificate === "revoked") return badKey("The key was not found", header);
  if (state.certificate === "expired" || certificate.validToDate.getTime() <= presented.wallMs) {
    return badKey("The key used is expired", header);
  }
  const failure = await verify({ jose, key: certificate.publicKey }, presented, { audience: [...audiences] });
  if (failure === null) return null;
  if (failure === "signature")
    return badKey("Key was found, but use of the key to verify the signature failed", header);
  if (failure === "aud")
    return invalidClient(700023, "Client assertion audience claim does not match Realm issuer.");
  return outOfTime(presented, claims);
}

async function checkFederated(
  jose: Jose,
  { federated }: EntraState,
  { presented, claims }: { readonly presented: Presented; readonly claims: JWTPayload },
): Promise<Refusal | null> {
  const none = "No matching federated identity record found for presented assertion";
  const ofIssuer = federated.filter(({ issuer }) => issuer === claims.iss);
  if (ofIssuer.length === 0) return invalidClient(700211, `${none} issuer '${claims.iss}'.`);
  const ofSubject = ofIssuer.filter(({ subject }) => subject === claims.sub);
  if (ofSubject.length === 0) return invalidClient(700213, `${none} subject '${claims.sub}'.`);
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  const trusted = ofSubject.find(({ audience }) => audiences.includes(audience));
  if (trusted === undefined) return invalidClient(700212, `${none} audience '${audiences}'.`);
  const trustedKeys = trusted.keys ?? [(await presented.identityKeys()).publicJwk];
  const keys = jose.createLocalJWKSet({ keys: [...trustedKeys] as never });
  const failure = await verify({ jose, key: keys }, presented, { audience: trusted.audience });
  if (failure === null) return null;
  if (failure === "time") return outOfTime(presented, claims);
  return invalidClient(50013, "Assertion failed signature validation. [Reason - The key was not found.]");
}

/** What is wrong with it; null: nothing. */
async function verify(
  { jose, key }: { readonly jose: Jose; readonly key: Verified | ReturnType<Jose["createLocalJWKSet"]> },
  { assertion, wallMs }: Presented,
  { audience }: { audience: string | string[] },
): Promise<"signature" | "aud" | "time" | null> {
  const options = {
    audience,
    algorithms,
    requiredClaims: ["exp"],
    currentDate: new Date(wallMs),
    clockTolerance: clockToleranceSeconds,
  };
  try {
    await jose.jwtVerify(assertion, key as Verified, options);
    return null;
  } catch (error) {
    if (error instanceof jose.errors.JWTExpired) return "time";
    if (error instanceof jose.errors.JWTClaimValidationFailed) return error.claim === "aud" ? "aud" : "time";
    if (error instanceof jose.errors.JOSEError) return "signature";
    throw error;
  }
}

/** The one that the header names, if the application has it, or has the authority that signed it. Null: neither. */
function certificateOf(state: EntraState, header: ProtectedHeaderParameters): X509Certificate | null {
  const known = state.certificates.map((pem) => new X509Certificate(pem));
  const named = known.find((certificate) => isNamed(certificate, header));
  if (named !== undefined) return named;
  const first = header.x5c?.[0];
  if (first === undefined) return null;
  const sent = new X509Certificate(Buffer.from(first, "base64"));
  const isTrusted = known.some(
    ({ ca, publicKey }, i) => ca && sent.checkIssued(known[i]!) && sent.verify(publicKey),
  );
  return isTrusted && isNamed(sent, header) ? sent : null;
}

/** By its thumbprint: SHA-256, or SHA-1 of older clients. */
function isNamed({ raw }: X509Certificate, header: ProtectedHeaderParameters): boolean {
  const sha256 = header["x5t#S256"];
  if (sha256 !== undefined) return sha256 === createHash("sha256").update(raw).digest("base64url");
  return header.x5t === createHash("sha1").update(raw).digest("base64url");
}

function badKey(reason: string, header: ProtectedHeaderParameters): Refusal {
  const thumbprint = Buffer.from(String(header["x5t#S256"] ?? header.x5t), "base64url")
    .toString("hex")
    .toUpperCase();
  return invalidClient(
    700027,
    `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - ${reason}., Thumbprint of key used by client: '${thumbprint}']`,
  );
}

function outOfTime({ wallMs }: Presented, { nbf, exp }: JWTPayload): Refusal {
  const [now, from, until] = [wallMs / 1000, nbf ?? 0, exp ?? 0].map((seconds) =>
    new Date(seconds * 1000).toISOString(),
  );
  return invalidClient(
    700024,
    `Client assertion is not within its valid time range. Current time: ${now}, assertion valid from ${from}, expiry time of assertion ${until}.`,
  );
}

function sameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
