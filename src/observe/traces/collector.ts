/** POSTs to the collector: OTLP/HTTP, binary protobuf. Where it is and what is sent along, the SDK reads from the environment. */
import type { Agent, IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { convertLegacyHttpOptions } from "@opentelemetry/otlp-exporter-base/node-http";
import type { Sent } from "./span-queue.ts";

export interface Collector {
  /** Without user and password. */
  readonly url: string;
  /** Settles within the time-out of OTEL_EXPORTER_OTLP_TIMEOUT; never rejects. */
  send(body: Uint8Array, signal: AbortSignal): Promise<Sent>;
  close(): void;
}

/** OTLP: the same request may succeed later. */
const retryableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const timeoutLeastMs = 100;
const timeoutMostMs = 60_000;
const compress = promisify(gzip);

/** A server of pages may answer every address with 200: Jaeger's does. It took no span. */
export const pageReason = " with a page of HTML";

interface Answer {
  readonly status: number;
  readonly isPage: boolean;
}

interface PostOptions {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly agent: Agent;
}

export function openCollector(userAgent: string): Collector {
  const options = convertLegacyHttpOptions({}, "TRACES", "v1/traces", {
    "Content-Type": "application/x-protobuf",
  });
  const url = new URL(options.url);
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  const timeoutMs = Math.min(Math.max(options.timeoutMillis, timeoutLeastMs), timeoutMostMs);
  let agent: Agent | null = null;
  return {
    url: `${url.origin}${url.pathname}`,
    async send(body, given) {
      const signal = AbortSignal.any([given, AbortSignal.timeout(timeoutMs)]);
      try {
        agent ??= (await options.agentFactory(url.protocol)) as Agent;
        const isPacked = options.compression === "gzip";
        const headers = {
          ...(await options.headers()),
          "User-Agent": userAgent,
          ...(isPacked ? { "Content-Encoding": "gzip" } : {}),
        };
        const bytes = isPacked ? await compress(body) : body;
        const { status, isPage } = await post(bytes, { headers, signal, agent });
        const isTaken = status >= 200 && status < 300;
        if (isTaken && !isPage) return { ok: true };
        const reason = `HTTP ${status}${isTaken ? pageReason : ""}`;
        return { ok: false, reason, isRetryable: retryableStatuses.has(status) };
      } catch (error) {
        return { ok: false, reason: reasonOf(error, timeoutMs), isRetryable: true };
      }
    },
    close: () => agent?.destroy(),
  };

  function post(body: Uint8Array, { headers, signal, agent: agentOfAll }: PostOptions): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length = { "Content-Length": body.length };
      const sent = request(url, {
        method: "POST",
        headers: { ...headers, ...length },
        agent: agentOfAll,
        signal,
      });
      sent.on("error", reject);
      sent.on("response", (response: IncomingMessage) => {
        response.on("error", reject);
        const isPage = /^text\/html\b/i.test(response.headers["content-type"] ?? "");
        response.on("end", () => resolve({ status: response.statusCode ?? 0, isPage }));
        response.resume();
      });
      sent.end(body);
    });
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === "TimeoutError" || name === "AbortError") return `no answer within ${timeoutMs} ms`;
  return code ?? message;
}
