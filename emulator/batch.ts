/** `$batch`: up to 20 requests in one, each carried out, throttled and failing on its own. */

import { type AnswerFault, type BatchFault, drawItemFault, type Faults } from "./faults.ts";
import { randomUuid } from "./random.ts";
import {
  type Call,
  errorReply,
  okReply,
  type Reply,
  retryAfterHeader,
  throttledReply,
  unavailableReply,
} from "./reply.ts";
import { type GraphRequest, isJson } from "./request.ts";
import type { GraphBehaviour } from "./settings.ts";

const maxItems = 20;

interface Item {
  readonly id: string;
  readonly request: GraphRequest;
}

type PerformItem = (request: GraphRequest, call: Call, fault: AnswerFault | null) => Reply;

/** 200 with the items' answers in any order; 400 for the whole where the envelope breaks a rule, nothing carried out. */
export function performBatch(
  state: { readonly behaviour: GraphBehaviour; readonly faults: Faults },
  {
    call,
    request,
    fault,
  }: { readonly call: Call; readonly request: GraphRequest; readonly fault: BatchFault | null },
  performItem: PerformItem,
): Reply {
  const { behaviour, faults } = state;
  const header = () => retryAfterHeader(behaviour, call, faults.retryAfterMs);
  if (fault === "batchThrottled") return throttledReply(call, "Too many requests.", header());
  if (fault === "batchUnavailable") return unavailableReply(call, header());
  if (fault === "batchRefused")
    return errorReply(call, 400, { code: "BadRequest", message: "The batch can't be processed." });
  if (request.contentType === null || !isJson(request.contentType)) {
    return errorReply(call, 400, {
      code: "BadRequest",
      message: "A batch request needs the Content-Type application/json.",
    });
  }
  const read = readItems(request.body, call.linkBase);
  if (typeof read === "string") return errorReply(call, 400, { code: "BadRequest", message: read });
  const responses: object[] = read.map(({ id, request: item }) => {
    const itemCall = { ...call, requestId: randomUuid(call.random) };
    return itemAnswer(id, performItem(item, itemCall, drawItemFault(faults, call.random)));
  });
  shuffle(responses, call);
  if (fault === "batchMissingItem") responses.pop();
  if (fault === "batchMalformed") return malformed(responses, call);
  return okReply(200, { responses });
}

/** The items, or the sentence that says what is wrong with the envelope. */
function readItems(body: unknown, linkBase: string): readonly Item[] | string {
  const requests = isObject(body) ? body.requests : undefined;
  if (!Array.isArray(requests) || requests.length === 0) {
    return "The body must be an object whose 'requests' is an array of at least one request.";
  }
  if (requests.length > maxItems)
    return `A batch holds at most ${maxItems} requests; this one has ${requests.length}.`;
  const items: Item[] = [];
  const ids = new Set<string>();
  for (const raw of requests) {
    const item = readItem(raw, linkBase);
    if (typeof item === "string") return item;
    const foldedId = item.id.toLowerCase();
    if (ids.has(foldedId)) return `The request id '${item.id.slice(0, 64)}' is not unique in the batch.`;
    ids.add(foldedId);
    items.push(item);
  }
  return items;
}

function readItem(raw: unknown, linkBase: string): Item | string {
  if (!isObject(raw)) return "Each request of a batch must be an object.";
  const { id, method, url, headers = {}, body, dependsOn } = raw;
  if (typeof id !== "string" || id === "") return "Each request of a batch needs a string 'id'.";
  const name = `The request with the id '${id.slice(0, 64)}'`;
  if (typeof method !== "string" || method === "") return `${name} needs a 'method'.`;
  if (typeof url !== "string" || url === "") return `${name} needs a 'url'.`;
  const target = relativeUrl(url, linkBase);
  if (target === null)
    return `${name} must have a relative 'url', without the version, or one that begins with '${linkBase}/'.`;
  if (!isObject(headers)) return `The headers of ${name} must be an object.`;
  if (dependsOn !== undefined) return `${name} has 'dependsOn', which this emulator does not do.`;
  const contentType = Object.entries(headers).find(
    ([header]) => header.toLowerCase() === "content-type",
  )?.[1];
  if (body !== undefined && typeof contentType !== "string")
    return `${name} has a body but no Content-Type header.`;
  const [path = "", query = ""] = target.split("?", 2);
  const type = typeof contentType === "string" ? contentType : null;
  return { id, request: { method: method.toUpperCase(), path, query, contentType: type, body } };
}

/** Begins with a slash. Microsoft's SDK for Python sends the whole address where its base is another host than Graph's. Null: another's. */
function relativeUrl(url: string, linkBase: string): string | null {
  if (url.toLowerCase().startsWith(`${linkBase.toLowerCase()}/`)) return url.slice(linkBase.length);
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(url)) return null;
  return url.startsWith("/") ? url : `/${url}`;
}

function itemAnswer(id: string, reply: Reply): object {
  if (reply.body === null) return { id, status: reply.status, headers: reply.headers };
  const headers = { ...reply.headers, "Content-Type": "application/json" };
  return { id, status: reply.status, headers, body: reply.body };
}

/** One of the ways in which a batch reply has been seen, or may come, broken. */
function malformed(responses: object[], call: Call): Reply {
  const ways: (() => Reply)[] = [
    () => ({ ...okReply(200, { responses }), malformed: true }),
    () => okReply(200, { value: responses }),
    () => okReply(200, { responses: [{ ...responses[0], status: undefined }, ...responses.slice(1)] }),
    () => okReply(200, { responses: [{ ...responses[0], id: "unheard-of" }, ...responses.slice(1)] }),
    () => okReply(200, { responses: [null, ...responses.slice(1)] }),
  ];
  return ways[Math.floor(call.random() * ways.length)]!();
}

function shuffle(list: unknown[], call: Call): void {
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = Math.floor(call.random() * (last + 1));
    [list[last], list[other]] = [list[other], list[last]];
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
