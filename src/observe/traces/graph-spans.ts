/** Spans of requests to Graph, below those of the records that they are for. */
import type { GraphReply, ListReply } from "../../graph-port.ts";
import type { TracedItem, TracedRequest } from "../../trace-port.ts";
import { conventional as names, own } from "./names.ts";
import type { OpenRecords } from "./open-records.ts";
import { type Span, spanKinds } from "./span.ts";
import { fixedAttributes } from "./span-bytes.ts";
import type { Tracer } from "./tracer.ts";

type Asked = (request: TracedRequest) => (replies: readonly (GraphReply | ListReply)[]) => void;

const path = "/beta/deviceManagement/certificateConnectorDetails";
/** By operation: what is asked for. `shared`: of a request for several. */
const requests = {
  create: {
    name: "create",
    method: "POST",
    template: path,
    shared: { name: "POST /beta/$batch", template: "/beta/$batch" },
  },
  get: { name: "read by id", method: "GET", template: `${path}/{id}`, shared: null },
  list: { name: "read list", method: "GET", template: path, shared: { name: "GET list", template: path } },
} as const;

const nothing = () => {};
const addressesMax = 100;

export function createGraphSpans(
  { graphUrlOf }: { readonly graphUrlOf: (tenantId: string) => string },
  tracer: Tracer,
  open: Pick<OpenRecords, "find">,
): Asked {
  const fixedOf = createFixed(graphUrlOf);
  return ({ operation, tenantId, items }) => {
    const { name, shared } = requests[operation];
    const fixed = fixedOf(tenantId, operation);
    let batch: Span | null = null;
    const spans = items.map((item, at) => {
      const record = open.find(item.record);
      if (record === undefined) return null;
      const isShared = items.length > 1 && shared !== null;
      const links = isShared && batch !== null ? [batch] : [];
      const attributes = attributesOf(item);
      const own = tracer.child(record.process, { name, kind: spanKinds.client, fixed, attributes, links });
      if (isShared && batch === null) batch = sharedSpan(own, operation, { tenantId, count: items.length });
      return { span: own, at };
    });
    const sharedOne = batch as Span | null;
    if (spans.every((span) => span === null)) return nothing;
    return (replies) => {
      if (sharedOne !== null) endWith(sharedOne, replies.length === 1 ? replies[0] : undefined);
      for (const each of spans)
        if (each !== null) endWith(each.span, replies.length === 1 ? replies[0] : replies[each.at]);
    };
  };

  function sharedSpan(
    parent: Span,
    operation: "create" | "get" | "list",
    { tenantId, count }: { readonly tenantId: string; readonly count: number },
  ): Span {
    const name = requests[operation].shared?.name ?? operation;
    const attributes: Span["attributes"] = [[own.records, count]];
    return tracer.child(parent, {
      name,
      kind: spanKinds.client,
      fixed: fixedOf(tenantId, operation, true),
      attributes,
    });
  }

  function endWith(span: Span, reply: GraphReply | ListReply | undefined): void {
    if (reply !== undefined) addReply(span, reply);
    tracer.end(span);
  }
}

function attributesOf({ attempt, clientRequestId }: TracedItem): Span["attributes"] {
  const attributes: Span["attributes"] = [];
  if (attempt > 1) attributes.push([names.resendCount, attempt - 1]);
  if (clientRequestId !== null) attributes.push([names.clientRequestId, clientRequestId]);
  return attributes;
}

function addReply(span: Span, reply: GraphReply | ListReply): void {
  const { attributes } = span;
  if (reply.kind === "listed") {
    attributes.push([names.statusCode, 200]);
    return;
  }
  if (reply.kind === "silence") {
    attributes.push([names.errorType, reply.reason], [own.detail, reply.detail]);
    span.hasFailed = true;
    return;
  }
  attributes.push([names.statusCode, reply.status]);
  if (reply.requestId !== null) attributes.push([names.requestId, reply.requestId]);
  if (reply.retryAfter !== null) attributes.push([names.retryAfter, reply.retryAfter]);
  if (reply.status < 400) return;
  attributes.push([names.errorType, String(reply.status)]);
  if (reply.errorMessage !== "") attributes.push([own.detail, `${reply.errorCode}: ${reply.errorMessage}`]);
  span.hasFailed = true;
}

/** Written once for each address; there are as many as clouds. */
function createFixed(graphUrlOf: (tenantId: string) => string) {
  const known = new Map<string, Uint8Array>();
  return (tenantId: string, operation: "create" | "get" | "list", isShared = false): Uint8Array => {
    const url = graphUrlOf(tenantId);
    const key = `${url} ${operation} ${isShared}`;
    let fixed = known.get(key);
    if (fixed === undefined) {
      const { method, template, shared } = requests[operation];
      const { hostname, port, protocol } = new URL(url);
      fixed = fixedAttributes([
        [names.method, method],
        [names.urlTemplate, (isShared ? shared?.template : null) ?? template],
        [names.serverAddress, hostname],
        [names.serverPort, Number(port) || (protocol === "http:" ? 80 : 443)],
      ]);
      if (known.size >= addressesMax) known.clear();
      known.set(key, fixed);
    }
    return fixed;
  };
}
