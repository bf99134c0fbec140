/** Spans of requests that the HTTP service is sent, and of the appends that come of them. */
import { readTraceparent, traceparentOf } from "../../domain/traceparent.ts";
import type { RequestSpan, RequestTraces } from "../../trace-port.ts";
import { conventional as names } from "./names.ts";
import { type Span, spanKinds } from "./span.ts";
import { fixedAttributes } from "./span-bytes.ts";
import type { Tracer } from "./tracer.ts";

export interface RequestTracesSettings {
  readonly messagingSystem: string;
  readonly clientId: string;
  readonly enrolledTopic: string;
}

const none = fixedAttributes([]);

export function createRequestTraces(settings: RequestTracesSettings, tracer: Tracer): RequestTraces {
  const { messagingSystem, clientId, enrolledTopic } = settings;
  const name = `send ${enrolledTopic}`;
  const sends = fixedAttributes([
    [names.messagingSystem, messagingSystem],
    [names.operationName, "send"],
    [names.operationType, "send"],
    [names.destination, enrolledTopic],
    [names.clientId, clientId],
  ]);
  return {
    began({ method, route, scheme, traceparent }): RequestSpan | null {
      const attributes: Span["attributes"] = [
        [names.method, method],
        [names.route, route],
        [names.urlPath, route],
        [names.urlScheme, scheme],
      ];
      const start = { name: `${method} ${route}`, kind: spanKinds.server, fixed: none, attributes };
      const server = tracer.root(start, readTraceparent(traceparent));
      if (server === null) return null;
      let sending: Span | null = null;
      return {
        sending(count) {
          const more: Span["attributes"] = count > 1 ? [[names.batchCount, count]] : [];
          sending = tracer.child(server, { name, kind: spanKinds.producer, fixed: sends, attributes: more });
          return traceparentOf(sending);
        },
        sent(ok) {
          if (sending === null) return;
          sending.hasFailed = !ok;
          if (!ok) sending.attributes.push([names.errorType, "not-stored"]);
          tracer.end(sending);
          sending = null;
        },
        ended(status) {
          server.attributes.push([names.statusCode, status]);
          if (status >= 500) server.attributes.push([names.errorType, String(status)]);
          server.hasFailed = status >= 500;
          tracer.end(server);
        },
      };
    },
  };
}
