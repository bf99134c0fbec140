/**
 * The end of the middleware chain: HTTP/1.1 over an undici pool, through `dispatch`, undici's lowest public call.
 * It alone tells when a request begins to be written, and so lets "certainly not sent" be said with certainty.
 *
 * Invariants
 * 1. A request is written to a connection at most once: a second start, for whatever reason, is aborted.
 * 2. No answer is reported that did not arrive in full.
 */
import type { Context, Middleware } from "@microsoft/microsoft-graph-client";
import type { Dispatcher } from "undici";
import { headerOf } from "./answer.ts";
import { maxBodyBytes, readBody } from "./body.ts";
import { describeError, isUntrusted } from "./connect-error.ts";
import { type Exchange, type Outcome, optionsOf, type RawAnswer, setOutcome, silence } from "./exchange.ts";
import type { ProxyServer } from "./proxy.ts";

/**
 * `origin`: the pool's; the URLs of all requests start with it. `proxy`: the pool connects to it, without a tunnel: it is
 * given the whole URL of each request.
 */
export function httpMiddleware(pool: Dispatcher, origin: string, proxy: ProxyServer | null): Middleware {
  return {
    execute: async (context) => setOutcome(context, await transmit({ pool, origin, proxy }, context)),
  };
}

function transmit(
  {
    pool,
    origin,
    proxy,
  }: { readonly pool: Dispatcher; readonly origin: string; readonly proxy: ProxyServer | null },
  context: Context,
): Promise<Outcome> {
  const { exchange, method, headers, body } = optionsOf(context);
  const target =
    exchange.url === null
      ? (context.request as string).slice(origin.length)
      : exchange.url.pathname + exchange.url.search;
  const path = proxy === null ? target : origin + target;
  if (proxy !== null && proxy.authorization !== null) headers["Proxy-Authorization"] = proxy.authorization;
  return new Promise((resolve) => {
    // undici's own time-outs are off: the exchange's deadline is exact and covers the whole.
    const options = {
      path,
      method: method as Dispatcher.HttpMethod,
      headers,
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    pool.dispatch(body === undefined ? options : { ...options, body }, new Transmission(exchange, resolve));
  });
}

class Transmission implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #chunks: Buffer[] = [];
  #started = false;
  #bytes = 0;
  #status = 0;
  #headers: RawAnswer["headers"] = {};

  constructor(exchange: Exchange, resolve: (outcome: Outcome) => void) {
    this.#exchange = exchange;
    this.#resolve = resolve;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#exchange.isOver() || this.#started) {
      controller.abort(new Error("not sent again"));
      return;
    }
    this.#started = true;
    this.#exchange.sent = true;
    this.#exchange.abort = () => controller.abort(new Error("given up"));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: RawAnswer["headers"]): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxBodyBytes) controller.abort(new Error(`longer than ${maxBodyBytes} bytes`));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#exchange.abort = null;
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    const body = readBody(bytes, headerOf(this.#headers, "content-encoding") ?? "");
    this.#resolve(
      body.ok
        ? { kind: "raw", status: this.#status, headers: this.#headers, body: body.text }
        : silence("malformed", {
            sent: true,
            detail: `the answer (${this.#status}) is unreadable: ${body.why}`,
          }),
    );
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#exchange.abort = null;
    const code = isUntrusted(error) ? "untrusted-ca" : null;
    this.#resolve(
      this.#started
        ? this.#brokenOff(error)
        : silence("connect", { sent: false, detail: describeError(error), code }),
    );
  }

  #brokenOff(error: Error): Outcome {
    if (this.#status >= 200) {
      const detail = `the answer (${this.#status}) broke off after ${this.#bytes} bytes: ${describeError(error)}`;
      return silence("malformed", { sent: true, detail });
    }
    const isUnreadable = error.name === "HTTPParserError";
    return silence(isUnreadable ? "malformed" : "reset", { sent: true, detail: describeError(error) });
  }
}
