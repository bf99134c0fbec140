/**
 * What `connector.registered` says, by tenant and idempotency key, with the properties: what Graph is compared with.
 *
 * 1. The first Graph id that came with a key is the registered one, as it is for the worker; others are kept beside it.
 * 2. A record that can't be read is counted, never guessed at.
 */
import Type from "typebox";
import { Compile } from "typebox/compile";
import { decodeUtf8 } from "../domain/json-value.ts";
import { readLedgerEntry } from "../domain/registered.ts";
import type { GraphObject } from "../graph-port.ts";
import type { LogRecord } from "../ports.ts";

export interface Registration {
  readonly idempotencyKey: string;
  /** As Graph returned it; its id is the registered one. */
  readonly object: GraphObject;
  /** Other Graph ids that records of the same key name. */
  readonly otherIds: readonly string[];
}

export interface Registrations {
  /** Tenant id, then idempotency key. */
  readonly tenants: Map<string, Map<string, Registration>>;
  /** Records that are not registered events of ours, tombstones among them. */
  unreadableRecords: number;
}

const text = Type.String();
const isComplete = Compile(
  Type.Object({
    data: Type.Object({
      id: text,
      connectorName: text,
      machineName: text,
      enrollmentDateTime: text,
      lastCheckinDateTime: text,
      connectorVersion: text,
      tenantId: text,
    }),
  }),
);

export function newRegistrations(): Registrations {
  return { tenants: new Map(), unreadableRecords: 0 };
}

export function takeRecord(registrations: Registrations, record: LogRecord): void {
  const entry = readLedgerEntry(record);
  const event: unknown = entry === null ? null : JSON.parse(decodeUtf8(record.value!)!);
  if (entry === null || !isComplete.Check(event)) {
    registrations.unreadableRecords++; // 2
    return;
  }
  const { tenantId, id, connectorName, machineName, enrollmentDateTime, ...rest } = event.data;
  const { lastCheckinDateTime, connectorVersion } = rest;
  const tenant = tenantOf(registrations, tenantId.toLowerCase());
  const known = tenant.get(entry.idempotencyKey);
  if (known === undefined) {
    const names = { connectorName, machineName, enrollmentDateTime };
    const object = { id, ...names, lastCheckinDateTime, connectorVersion };
    tenant.set(entry.idempotencyKey, { idempotencyKey: entry.idempotencyKey, object, otherIds: [] });
  } else if (id !== known.object.id && !known.otherIds.includes(id)) {
    tenant.set(entry.idempotencyKey, { ...known, otherIds: [...known.otherIds, id] }); // 1
  }
}

/** Moves everything from `later`, which was read after it. */
export function merge(registrations: Registrations, later: Registrations): void {
  registrations.unreadableRecords += later.unreadableRecords;
  for (const [tenantId, ofTenant] of later.tenants) {
    const tenant = tenantOf(registrations, tenantId);
    for (const [key, registration] of ofTenant) {
      const known = tenant.get(key);
      tenant.set(key, known === undefined ? registration : joined(known, registration));
    }
  }
}

/** What two records, or two readings, say of one key. The earlier one decides which id is the registered one. */
export function joined(known: Registration, later: Registration): Registration {
  const ids = new Set([...known.otherIds, later.object.id, ...later.otherIds]);
  ids.delete(known.object.id);
  return { ...known, otherIds: [...ids] };
}

function tenantOf(registrations: Registrations, tenantId: string): Map<string, Registration> {
  let tenant = registrations.tenants.get(tenantId);
  if (tenant === undefined) {
    tenant = new Map();
    registrations.tenants.set(tenantId, tenant);
  }
  return tenant;
}
