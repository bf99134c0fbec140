/**
 * Lists with query options. The link to the next page names the last object that was shown by its values and its place, so
 * that objects which come or go in between move nothing.
 */

import { compareValues } from "./filter.ts";
import type { Stored } from "./journal.ts";
import { type ListOptions, listed, type Model, selected, selection } from "./model.ts";
import type { ListQuery, Order } from "./query-options.ts";
import { type Call, errorReply, okReply, type Reply } from "./reply.ts";
import { collection } from "./request.ts";

/** Where a page ended: the values that decide about the order, and the sequence among equal ones. */
interface Place {
  readonly values: readonly string[];
  readonly sequence: number;
}

/** 200 with one page; 400 for a token that no page of this order gave out. */
export function applyQuery(
  { model, call }: { readonly model: Model; readonly call: Call },
  options: ListOptions,
  query: ListQuery,
): Reply {
  const { orderBy, filter, select } = query;
  const after = options.skipToken === null ? null : readToken(options.skipToken, orderBy);
  if (after === undefined)
    return errorReply(call, 400, {
      code: "BadRequest",
      message: "The $skiptoken is not one of a next link.",
    });
  const found = listed(model, call, options.listLagMs).filter(
    ({ object }) => filter === null || filter(object),
  );
  const places = new Map(found.map((stored) => [stored, placeOf(stored, orderBy)]));
  const inOrder =
    orderBy.length === 0
      ? found
      : found.toSorted((a, b) => comparePlaces(places.get(a)!, places.get(b)!, orderBy));
  const first =
    after === null
      ? 0
      : inOrder.findIndex((stored) => comparePlaces(places.get(stored)!, after, orderBy) > 0);
  const page = first < 0 ? [] : inOrder.slice(first, first + options.pageSize);
  const body: Record<string, unknown> = {
    "@odata.context": `${call.linkBase}/$metadata#${collection}${selection(select)}`,
  };
  if (query.count) body["@odata.count"] = found.length;
  const last = page.at(-1);
  if (last !== undefined && last !== inOrder.at(-1)) {
    const token = writeToken(places.get(last)!);
    body["@odata.nextLink"] = `${call.linkBase}/${collection}?${options.carried ?? ""}$skiptoken=${token}`;
  }
  body.value = page.map(({ object }) => selected(object, select));
  return okReply(200, body);
}

function placeOf({ object, sequence }: Stored, orderBy: readonly Order[]): Place {
  return { values: orderBy.map(({ property }) => object[property]), sequence };
}

function comparePlaces(a: Place, b: Place, orderBy: readonly Order[]): number {
  for (const [index, { property, descending }] of orderBy.entries()) {
    const order = compareValues(property, a.values[index]!, b.values[index]!);
    if (order !== 0) return descending ? -order : order;
  }
  return a.sequence - b.sequence;
}

function writeToken({ values, sequence }: Place): string {
  return Buffer.from(JSON.stringify([sequence, ...values])).toString("base64url");
}

/** Undefined: it is none. */
function readToken(token: string, orderBy: readonly Order[]): Place | undefined {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  if (!Array.isArray(read) || read.length !== orderBy.length + 1) return undefined;
  const [sequence, ...values] = read as unknown[];
  const isPlace = Number.isSafeInteger(sequence) && values.every((value) => typeof value === "string");
  return isPlace ? { sequence: sequence as number, values: values as string[] } : undefined;
}
