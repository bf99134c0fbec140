/** Checks what the control endpoint is given for Entra. */

import { X509Certificate } from "node:crypto";
import Type from "typebox";
import { Compile } from "typebox/compile";
import { parseJson } from "../exchange.ts";
import { closed, optional, problemIn } from "../input.ts";
import type { Checked } from "../resource.ts";
import { credentialStates, type EntraState, tenantStates } from "./state.ts";

const text = Type.String({ minLength: 1, maxLength: 65_536 });
const federatedCredential = Type.Object(
  {
    issuer: text,
    subject: text,
    audience: text,
    keys: Type.Union([Type.Null(), Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1 })]),
  },
  closed,
);
const identity = Type.Object({ clientId: text, principalId: text, tenantId: text }, closed);
const tenants = Type.Record(Type.String(), Type.Enum([...tenantStates]));

const entraInput = Compile(
  Type.Object(
    optional({
      secret: Type.Enum([...credentialStates]),
      certificate: Type.Enum([...credentialStates]),
      secrets: Type.Array(text),
      certificates: Type.Array(text),
      federated: Type.Array(federatedCredential),
      identities: Type.Array(identity),
      tenants,
    }),
    closed,
  ),
);

/** A setting that is not given stays unchanged. */
export function readEntra(current: EntraState, input: unknown): Checked<EntraState> {
  const problem = problemIn(entraInput, input);
  if (problem !== null) return { ok: false, message: problem };
  const given = input as Partial<EntraState>;
  const unreadable = (given.certificates ?? []).findIndex((pem) => !isCertificate(pem));
  if (unreadable >= 0) {
    return { ok: false, message: `Not taken: /certificates/${unreadable} is not a certificate in PEM form.` };
  }
  const value = { ...current, ...given };
  const byTenant = Object.entries(value.tenants).map(([tenantId, state]) => [tenantId.toLowerCase(), state]);
  return { ok: true, value: { ...value, tenants: Object.fromEntries(byTenant) } };
}

const federatedInput = Compile(Type.Array(federatedCredential));

export function readFederated(json: string): Checked<EntraState["federated"]> {
  const input = parseJson(json);
  const problem = problemIn(federatedInput, input);
  return problem === null
    ? { ok: true, value: input as EntraState["federated"] }
    : { ok: false, message: problem };
}

export function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
