/**
 * The certificateConnectorDetails objects of every tenant. Pure: time and randomness come with each call.
 *
 * 1. A tenant never sees another tenant's objects.
 * 2. An id names at most one object of a tenant; a create never changes an existing object.
 * 3. `get` sees an object immediately; a list shows it once it is `listLagMs` old. Pages are in order of creation.
 */

import type { Journal, Stored } from "./journal.ts";
import { type Normalisation, normalised } from "./normalise.ts";
import { randomUuid } from "./random.ts";
import { type Call, errorReply, okReply, type Reply } from "./reply.ts";
import { collection } from "./request.ts";
import type { GraphObject, Property } from "./resource.ts";
import { checkCreate, checkUpdate, odataType } from "./resource.ts";
import type { IdMode } from "./settings.ts";

interface Tenant {
  readonly byId: Map<string, Stored>;
  /** Rising sequence. */
  readonly inOrder: Stored[];
}

export interface Model {
  /** Null: nothing is kept. */
  readonly journal: Journal | null;
  readonly tenants: Map<string, Tenant>;
  nextSequence: number;
  /** Creates that took effect, of objects deleted since too. */
  createdCount: number;
}

export interface ListOptions {
  readonly listLagMs: number;
  readonly pageSize: number;
  readonly skipToken: string | null;
  /** What the link to the next page carries on, such as `$top=2&`; default nothing. */
  readonly carried?: string;
}

export function newModel(journal: Journal | null = null): Model {
  return { journal, tenants: new Map(), nextSequence: 1, createdCount: 0 };
}

/** An object of before, in order of sequence. */
export function restore(model: Model, tenantId: string, stored: Stored): void {
  const tenant = tenantOf(model, tenantId);
  tenant.byId.set(stored.object.id, stored);
  tenant.inOrder.push(stored);
}

/** 201, 400 BadRequest, or 409 Conflict where a client's id is honoured and taken. */
export function applyCreate(
  model: Model,
  call: Call,
  {
    body,
    idMode,
    normalise = [],
  }: { readonly body: unknown; readonly idMode: IdMode; readonly normalise?: readonly Normalisation[] },
): Reply {
  const checked = checkCreate(body);
  if (!checked.ok) return errorReply(call, 400, { code: "BadRequest", message: checked.message });
  const { id: givenId, details } = checked.value;
  if (givenId !== null && idMode === "refuse") {
    return errorReply(call, 400, {
      code: "BadRequest",
      message: "The property 'id' is read-only and must not be sent.",
    });
  }
  const tenant = tenantOf(model, call.tenantId);
  const id = givenId !== null && idMode === "honour" ? givenId : freeId(tenant, call);
  if (tenant.byId.has(id)) {
    return errorReply(call, 409, {
      code: "Conflict",
      message: `An object with the id '${id.slice(0, 64)}' exists already.`,
    });
  }
  const sent = { id, ...details };
  const object = { id, ...normalised(details, normalise) };
  const stored = { object, sent, sequence: model.nextSequence, createdAtMs: call.nowMs };
  model.journal?.created(call, stored, model.createdCount + 1);
  model.nextSequence += 1;
  model.createdCount += 1;
  tenant.byId.set(id, stored);
  tenant.inOrder.push(stored);
  return okReply(201, entityBody(call, stored.object), {
    Location: `${call.linkBase}/${collection}('${id}')`,
  });
}

/** 200 with one page, `@odata.nextLink` while there are more; 400 for a token that no page gave out. */
export function applyList(model: Model, call: Call, options: ListOptions): Reply {
  const after = options.skipToken === null ? 0 : readSkipToken(options.skipToken);
  if (after === null)
    return errorReply(call, 400, {
      code: "BadRequest",
      message: "The $skiptoken is not one of a next link.",
    });
  const inOrder = model.tenants.get(call.tenantId)?.inOrder ?? [];
  const page: Stored[] = [];
  let more = false;
  for (let index = indexAfter(inOrder, after); index < inOrder.length && !more; index += 1) {
    const stored = inOrder[index]!;
    if (!isListed(stored, call, options.listLagMs)) continue;
    if (page.length === options.pageSize) more = true;
    else page.push(stored);
  }
  const body: Record<string, unknown> = { "@odata.context": `${call.linkBase}/$metadata#${collection}` };
  if (more) {
    const token = writeSkipToken(page.at(-1)!.sequence);
    body["@odata.nextLink"] = `${call.linkBase}/${collection}?${options.carried ?? ""}$skiptoken=${token}`;
  }
  body.value = page.map((stored) => ({ "@odata.type": odataType, ...stored.object }));
  return okReply(200, body);
}

/** All that a list of the tenant may show now, in order of creation. */
export function listed(model: Model, call: Call, listLagMs: number): Stored[] {
  const inOrder = model.tenants.get(call.tenantId)?.inOrder ?? [];
  return inOrder.filter((stored) => isListed(stored, call, listLagMs));
}

function isListed({ createdAtMs }: Stored, call: Call, listLagMs: number): boolean {
  return createdAtMs + listLagMs <= call.nowMs;
}

export interface GetOptions {
  /** As in the documented example, the entity inside `value`. */
  readonly wrapped: boolean;
  /** Null: all properties. */
  readonly select: readonly Property[] | null;
}

/** 200 or 404. */
export function applyGet(
  { model, call }: { readonly model: Model; readonly call: Call },
  id: string,
  { wrapped, select }: GetOptions,
): Reply {
  const stored = model.tenants.get(call.tenantId)?.byId.get(id);
  if (stored === undefined) return notFound(call, id);
  if (wrapped) return okReply(200, { value: selected(stored.object, select) });
  const context = `${call.linkBase}/$metadata#${collection}${selection(select)}/$entity`;
  return okReply(200, { "@odata.context": context, ...selected(stored.object, select) });
}

/** 200, 400 or 404. */
export function applyUpdate(
  model: Model,
  { call, id }: { readonly call: Call; readonly id: string },
  { body, normalise = [] }: { readonly body: unknown; readonly normalise?: readonly Normalisation[] },
): Reply {
  const stored = model.tenants.get(call.tenantId)?.byId.get(id);
  if (stored === undefined) return notFound(call, id);
  const checked = checkUpdate(body, id);
  if (!checked.ok) return errorReply(call, 400, { code: "BadRequest", message: checked.message });
  const object = { ...normalised({ ...stored.object, ...checked.value }, normalise), id };
  model.journal?.updated(call, object);
  stored.object = object;
  return okReply(200, entityBody(call, stored.object));
}

/** 204 or 404. */
export function applyDelete(model: Model, call: Call, id: string): Reply {
  const tenant = model.tenants.get(call.tenantId);
  const stored = tenant?.byId.get(id);
  if (tenant === undefined || stored === undefined) return notFound(call, id);
  model.journal?.removed(call, id);
  tenant.byId.delete(id);
  tenant.inOrder.splice(indexAfter(tenant.inOrder, stored.sequence - 1), 1);
  return okReply(204, null);
}

/** 200 with no metric known, or 404. */
export function applyHealthMetrics(model: Model, call: Call, id: string): Reply {
  if (!model.tenants.get(call.tenantId)?.byId.has(id)) return notFound(call, id);
  return okReply(200, { value: [] });
}

/** Every object that exists now, by tenant, in order of creation. */
export function inventoryOf(model: Model): Record<string, GraphObject[]> {
  const entries = [...model.tenants].map(([id, tenant]) => [
    id,
    tenant.inOrder.map((stored) => stored.object),
  ]);
  return Object.fromEntries(entries);
}

/** As `inventoryOf`, with the values that the clients sent. */
export function sentOf(model: Model): Record<string, GraphObject[]> {
  const entries = [...model.tenants].map(([id, tenant]) => [id, tenant.inOrder.map((stored) => stored.sent)]);
  return Object.fromEntries(entries);
}

function tenantOf(model: Model, tenantId: string): Tenant {
  const known = model.tenants.get(tenantId);
  if (known !== undefined) return known;
  const tenant: Tenant = { byId: new Map(), inOrder: [] };
  model.tenants.set(tenantId, tenant);
  return tenant;
}

/** Random numbers begin again with the process, objects need not. */
function freeId({ byId }: Tenant, { random }: Call): string {
  let id = randomUuid(random);
  while (byId.has(id)) id = randomUuid(random);
  return id;
}

function notFound(call: Call, id: string): Reply {
  return errorReply(call, 404, {
    code: "ResourceNotFound",
    message: `No certificateConnectorDetails has the id '${id.slice(0, 64)}'.`,
  });
}

function entityBody(call: Call, object: GraphObject): Record<string, unknown> {
  return { "@odata.context": `${call.linkBase}/$metadata#${collection}/$entity`, ...typed(object) };
}

/** An object as lists and answers show it. `select`: null is all of it. */
export function selected(object: GraphObject, select: readonly Property[] | null): object {
  if (select === null) return typed(object);
  return { "@odata.type": odataType, ...Object.fromEntries(select.map((name) => [name, object[name]])) };
}

/** As it stands in `@odata.context`. */
export function selection(select: readonly Property[] | null): string {
  return select === null ? "" : `(${select.join(",")})`;
}

function typed(object: GraphObject) {
  return { "@odata.type": odataType, ...object };
}

/** Index of the first stored object whose sequence is greater. */
function indexAfter(inOrder: readonly Stored[], sequence: number): number {
  let low = 0;
  let high = inOrder.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (inOrder[middle]!.sequence <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writeSkipToken(sequence: number): string {
  return Buffer.from(`after:${sequence}`).toString("base64url");
}

function readSkipToken(token: string): number | null {
  const parts = /^after:(\d{1,15})$/.exec(Buffer.from(token, "base64url").toString("latin1"));
  return parts === null ? null : Number(parts[1]);
}
