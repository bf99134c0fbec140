/**
 * Authentication and telemetry of the middleware chain. The stock handlers are left out on purpose: RetryHandler
 * repeats a POST on 504, and AuthenticationHandler sends no token over http:// to an emulator.
 */
import type { Context, Middleware } from "@microsoft/microsoft-graph-client";
import { PACKAGE_VERSION } from "@microsoft/microsoft-graph-client/lib/src/Version.js";
import { isGraphsRefusal } from "./answer.ts";
import type { TokenCache } from "./credentials/token-cache.ts";
import { optionsOf, outcomeOf, setOutcome, silence } from "./exchange.ts";

export function authenticationMiddleware(tokens: TokenCache): Middleware {
  let next: Middleware;
  return {
    setNext: (middleware) => {
      next = middleware;
    },
    execute: async (context) => {
      const token = await authorize(context, tokens);
      if (token === null) return;
      await next.execute(context);
      const outcome = outcomeOf(context);
      // Graph's own 401 certainly did nothing, so even a POST may follow it.
      if (outcome.kind !== "raw" || !isGraphsRefusal(outcome)) return;
      const { exchange } = optionsOf(context);
      if (exchange.isOver() || !tokens.invalidate(exchange.tenantId, token)) return;
      exchange.sent = false;
      if ((await authorize(context, tokens)) !== null) await next.execute(context);
    },
  };
}

/** Puts the tenant's token into the request. Null: there is none, the outcome says why. */
async function authorize(context: Context, tokens: TokenCache): Promise<string | null> {
  const { exchange, headers } = optionsOf(context);
  const held = tokens.get(exchange.tenantId);
  const result = held instanceof Promise ? await held : held;
  if (exchange.isOver()) {
    setOutcome(context, silence("timeout", { sent: false, detail: "given up while waiting for a token" }));
    return null;
  }
  if (!result.ok) {
    const { reason, detail, fix, code } = result;
    setOutcome(
      context,
      silence(reason, { sent: false, detail: fix === undefined ? detail : `${detail}. ${fix}`, code }),
    );
    return null;
  }
  headers.Authorization = `Bearer ${result.token}`;
  return result.token;
}

/** Says which client library sends, as Graph asks of its SDKs. */
export function telemetryMiddleware(): Middleware {
  let next: Middleware;
  return {
    setNext: (middleware) => {
      next = middleware;
    },
    execute: (context) => {
      optionsOf(context).headers.SdkVersion = `graph-js/${PACKAGE_VERSION}`;
      return next.execute(context);
    },
  };
}
