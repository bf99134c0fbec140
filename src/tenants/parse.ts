/**
 * A tenants file to tenants, or to all that is wrong with it, each by its JSON pointer. A generator: it yields after every few
 * entries, so that the caller can let the process do something else in between.
 *
 * 1. All or nothing: one bad entry makes the file a bad one.
 * 2. What is shown of a file is where and what is wrong, never a value of a credential.
 */
import { isUtf8 } from "node:buffer";
import type { TSchema } from "typebox";
import { Errors } from "typebox/value";
import {
  type CloudAddresses,
  cloudNames,
  credentialKinds,
  credentialsByKind,
  isTenantEntry,
  type Tenant,
  tenantEntry,
  tenantsFile,
} from "./definition.ts";
import { splitEntries } from "./split.ts";

/** By tenant id, lower case, in the file's order. */
export type TenantList = ReadonlyMap<string, Tenant>;

export interface FileProblem {
  /** JSON pointer; "": the file as a whole. */
  readonly pointer: string;
  /** Completes "POINTER …". */
  readonly text: string;
}

export interface TenantsContent {
  readonly tenants: TenantList;
  readonly clouds: CloudAddresses;
}

export type ParsedTenants =
  | { readonly ok: true; readonly content: TenantsContent }
  /** The first ones; `more`: how many are not among them. */
  | { readonly ok: false; readonly problems: readonly FileProblem[]; readonly more: number };

export const maxFileBytes = 32 * 1024 * 1024;
const problemsMax = 50;
const entriesPerStep = 64;

export function* parseTenants(bytes: Uint8Array): Generator<void, ParsedTenants> {
  const problem = bytesProblem(bytes);
  if (problem !== null) return refused([problem]);
  yield;
  const text = textOf(bytes);
  yield;
  const tenants = new Map<string, Tenant>();
  const repeated: { readonly tenantId: string; readonly index: number }[] = [];
  const problems: FileProblem[] = [];
  const entries = splitEntries(text);
  let next = entries.next();
  for (let index = 0; next.done !== true; index++, next = entries.next()) {
    const pointer = `/tenants/${index}`;
    const entry = entryOf(next.value, pointer);
    if (Array.isArray(entry)) problems.push(...entry);
    else {
      const tenantId = entry.tenantId.toLowerCase();
      if (tenants.has(tenantId)) repeated.push({ tenantId, index });
      else tenants.set(tenantId, entry.tenantId === tenantId ? entry : { ...entry, tenantId });
    }
    if (index % entriesPerStep === 0) yield;
  }
  for (const one of repeated.slice(0, problemsMax)) problems.push(repetition(one));
  const hasEntries = tenants.size + problems.length > 0;
  let clouds: CloudAddresses = {};
  if (!next.value.ok) problems.push({ pointer: next.value.pointer, text: next.value.text });
  else {
    const envelope = envelopeOf(next.value.envelope, hasEntries);
    if (Array.isArray(envelope)) problems.push(...envelope);
    else clouds = envelope;
  }
  return problems.length === 0 ? { ok: true, content: { tenants, clouds } } : refused(problems);
}

function repetition({ tenantId, index }: { readonly tenantId: string; readonly index: number }): FileProblem {
  return {
    pointer: `/tenants/${index}/tenantId`,
    text: `repeats ${tenantId}, which stands there before: keep one of them`,
  };
}

function refused(problems: readonly FileProblem[]): ParsedTenants {
  return {
    ok: false,
    problems: problems.slice(0, problemsMax),
    more: Math.max(0, problems.length - problemsMax),
  };
}

/** In one go: for commands. */
export function parseTenantsNow(bytes: Uint8Array): ParsedTenants {
  return runNow(parseTenants(bytes));
}

export function runNow<T>(steps: Generator<void, T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

function bytesProblem(bytes: Uint8Array): FileProblem | null {
  const whole = (text: string): FileProblem => ({ pointer: "", text });
  if (bytes.length === 0) return whole('is empty: write {"tenants": [{"tenantId": "<GUID>"}]} into it');
  if (bytes.length > maxFileBytes)
    return whole(`is ${bytes.length} bytes long, and ${maxFileBytes} are the most that is read`);
  if (bytes[0] === 0xff || bytes[0] === 0xfe) return whole("is UTF-16: save it as UTF-8");
  if (!isUtf8(bytes)) return whole("is not UTF-8: save it as UTF-8");
  return null;
}

/** Editors on Windows put a mark in front, which JSON.parse does not take. */
function textOf(bytes: Uint8Array): string {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.length - start).toString("utf8");
}

function entryOf(text: string, pointer: string): Tenant | FileProblem[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [{ pointer, text: `is not JSON${placeOf(error)}` }];
  }
  return isTenantEntry.Check(value) ? value : entryProblems(value, pointer);
}

/** Without the message itself, which shows the file's contents. */
function placeOf(error: unknown): string {
  const place = /position (\d+)/.exec((error as Error).message)?.[1];
  return place === undefined ? "" : `, from its character ${place} on`;
}

/** Never empty: a value that no single member explains is still refused. */
function entryProblems(value: unknown, pointer: string): FileProblem[] {
  const found = problemsOf(tenantEntry, value, pointer).filter(
    ({ pointer: at }) => !at.startsWith(`${pointer}/credential`),
  );
  const credential = (value as { credential?: unknown } | null)?.credential;
  if (credential !== undefined) found.push(...credentialProblems(credential, `${pointer}/credential`));
  return found.length > 0 ? found : [{ pointer, text: "is not a tenant" }];
}

function credentialProblems(value: unknown, pointer: string): FileProblem[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [{ pointer, text: "must be an object" }];
  const { kind } = value as { kind?: unknown };
  const schema = typeof kind === "string" && Object.hasOwn(credentialsByKind, kind) ? kind : null;
  if (schema === null)
    return [{ pointer: `${pointer}/kind`, text: `must be one of ${credentialKinds.join(", ")}` }];
  return problemsOf(credentialsByKind[schema as keyof typeof credentialsByKind], value, pointer);
}

function envelopeOf(text: string, hasEntries: boolean): CloudAddresses | FileProblem[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [{ pointer: "", text: `is not JSON${placeOf(error)}, its entries left out` }];
  }
  const { tenants: given, clouds } = (value ?? {}) as { tenants?: unknown; clouds?: CloudAddresses };
  if (Array.isArray(given) && given.length > 0) return [{ pointer: "/tenants", text: "stands there twice" }];
  if (Array.isArray(given) && !hasEntries)
    return [
      { pointer: "/tenants", text: "is empty: to serve no tenant, stop the worker or pause the tenants" },
    ];
  const found = problemsOf(tenantsFile, value, "");
  const others = found.filter(({ pointer }) => !(pointer === "/tenants" && Array.isArray(given)));
  return others.length > 0 ? others : (clouds ?? {});
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
}

function problemsOf(schema: TSchema, value: unknown, pointer: string): FileProblem[] {
  return (Errors(schema, value) as readonly SchemaError[]).flatMap((error) => told(error, pointer));
}

function told({ keyword, instancePath, params }: SchemaError, prefix: string): FileProblem[] {
  const pointer = `${prefix}${instancePath}`;
  switch (keyword) {
    case "required":
      return (params as { requiredProperties: string[] }).requiredProperties.map((name) => ({
        pointer: `${pointer}/${name}`,
        text: "is missing",
      }));
    case "additionalProperties":
      return (params as { additionalProperties: string[] }).additionalProperties.map((name) => ({
        pointer: `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
        text: "is not a known member",
      }));
    case "pattern":
      return [
        { pointer, text: pointer.startsWith("/clouds/") ? "is not an https:// address" : "is not a GUID" },
      ];
    case "enum":
      return [{ pointer, text: `is none of ${cloudNames.join(", ")}` }];
    case "type":
      return [{ pointer, text: `must be of type ${(params as { type: string }).type}` }];
    case "minLength":
      return [{ pointer, text: "is empty" }];
    case "maxLength":
    case "minimum":
    case "maximum":
      return [{ pointer, text: `is out of range: ${keyword} ${(params as { limit: number }).limit}` }];
    default:
      return [];
  }
}
