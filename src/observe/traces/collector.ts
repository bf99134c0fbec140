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
        const status = await post(bytes, { headers, signal, agent });
        if (status >= 200 && status < 300) return { ok: true };
        return { ok: false, reason: `HTTP ${status}`, isRetryable: retryableStatuses.has(status) };
      } catch (error) {
        return { ok: false, reason: reasonOf(error, timeoutMs), isRetryable: true };
      }
    },
    close: () => agent?.destroy(),
  };

  function post(body: Uint8Array, { headers, signal, agent: agentOfAll }: PostOptions): Promise<number> {
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
        response.on("end", () => resolve(response.statusCode ?? 0));
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
