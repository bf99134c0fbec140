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
import { type Exchange, type Outcome, optionsOf, type RawAnswer, setOutcome, silence } from "./exchange.ts";

/** `origin`: the pool's; the URLs of all requests start with it. */
export function httpMiddleware(pool: Dispatcher, origin: string): Middleware {
  return {
    execute: async (context) => setOutcome(context, await transmit(pool, origin, context)),
  };
}

function transmit(pool: Dispatcher, origin: string, context: Context): Promise<Outcome> {
  const { exchange, method, headers, body } = optionsOf(context);
  const path =
    exchange.url === null
      ? (context.request as string).slice(origin.length)
      : exchange.url.pathname + exchange.url.search;
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
        : silence("malformed", true, `the answer (${this.#status}) is unreadable: ${body.why}`),
    );
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#exchange.abort = null;
    this.#resolve(this.#started ? this.#brokenOff(error) : silence("connect", false, describe(error)));
  }

  #brokenOff(error: Error): Outcome {
    if (this.#status >= 200) {
      const detail = `the answer (${this.#status}) broke off after ${this.#bytes} bytes: ${describe(error)}`;
      return silence("malformed", true, detail);
    }
    const isUnreadable = error.name === "HTTPParserError";
    return silence(isUnreadable ? "malformed" : "reset", true, describe(error));
  }
}

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}

/** One line: the code and the message; for certificates also what to do. */
function describe(error: Error): string {
  // Node reports a host with several addresses as an AggregateError without a message.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = codeOf(first);
  const text = first.message.includes(code) ? first.message : `${code} ${first.message}`;
  const isUntrusted = /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|self.signed certificate/i.test(text);
  const hint = isUntrusted ? "; name its CA's PEM file in GRAPH_CA_FILE (or NODE_EXTRA_CA_CERTS)" : "";
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 300) + hint;
}
