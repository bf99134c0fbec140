/** One exchange through the Graph client's middleware chain, within the request time-out. */
import { type Client, ResponseType } from "@microsoft/microsoft-graph-client";
import { elapsedMs, momentOf } from "../moment.ts";
import type { Clock } from "../ports.ts";
import { type Exchange, type Outcome, silence } from "./exchange.ts";

interface Call {
  readonly tenantId: string;
  readonly method: "get" | "post" | "delete";
  /** Below the version. */
  readonly path: string;
  /** Requested as it is, instead of the path. */
  readonly url?: URL | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Send = (call: Call) => Promise<Outcome>;

export function sender(client: Client, timeoutMs: number, clock: Clock): Send {
  return (call) =>
    new Promise((resolve) => {
      const { tenantId, url = null } = call;
      const begun = momentOf(clock);
      const isOver = () => exchange.settled || elapsedMs(begun, momentOf(clock)) >= timeoutMs;
      const exchange: Exchange = { tenantId, url, sent: false, settled: false, isOver, abort: null };
      const settle = (outcome: Outcome) => {
        if (exchange.settled) return;
        exchange.settled = true;
        cancel();
        exchange.abort?.();
        resolve(outcome);
      };
      const cancel = clock.after(timeoutMs, () => {
        settle(
          silence("timeout", { sent: exchange.sent, detail: `no complete answer within ${timeoutMs} ms` }),
        );
      });
      const request = client
        .api(call.path)
        .headers({ Accept: "application/json", ...call.headers })
        .option("exchange", exchange)
        .responseType(ResponseType.RAW);
      const answered: Promise<Outcome> =
        call.method === "post" ? request.post(call.body) : request[call.method]();
      answered.then(settle, (error) => {
        // The chain answers with values; what it throws is a bug, but the request may be on its way.
        settle(
          silence("malformed", { sent: exchange.sent, detail: `internal: ${String(error).slice(0, 200)}` }),
        );
      });
    });
}
