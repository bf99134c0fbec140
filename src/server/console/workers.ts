/** What the workers say of themselves: the one in this process, and those that SERVE_WORKERS names, by /readyz and /metrics. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Clock } from "../../ports.ts";
import { consoleLimits } from "./limits.ts";
import { type BlockedTenant, type Figures, figuresOf, readyOf } from "./worker-answers.ts";

export interface WorkerState {
  /** Its address, or "this process". */
  readonly name: string;
  /** Why nothing is known of it; null: it answers. */
  readonly trouble: string | null;
  readonly ready: boolean;
  /** One line each. */
  readonly notReady: readonly string[];
  /** Null: it does not say. */
  readonly figures: Figures | null;
  readonly blocked: readonly BlockedTenant[] | null;
}

export interface WorkersView {
  /** As of the last few seconds. Null: nothing says where workers are. */
  look(): Promise<readonly WorkerState[]>;
  /** Nothing names any. */
  readonly isBlind: boolean;
}

export type Fetch = (url: string, init: { signal: AbortSignal; redirect: "error" }) => Promise<Response>;

export interface WorkersParts {
  readonly clock: Clock;
  /** Http addresses, without a path at the end. */
  readonly urls: readonly string[];
  /** The worker in this process; null: there is none. */
  readonly local: (() => WorkerState) | null;
  readonly fetch?: Fetch;
}

export function createWorkersView({ clock, urls, local, fetch: ask = fetch }: WorkersParts): WorkersView {
  let asking: Promise<readonly WorkerState[]> | null = null;
  let known: { readonly states: readonly WorkerState[]; readonly atMs: number } | null = null;

  async function askAll(): Promise<readonly WorkerState[]> {
    const addresses = (await Promise.all(urls.map(addressesOf))).flat();
    const states = await Promise.all(addresses.map((url) => stateOf(url, clock, ask)));
    known = { states, atMs: clock.nowMs() };
    asking = null;
    return states;
  }

  return {
    isBlind: urls.length === 0 && local === null,
    async look() {
      const isFresh = known !== null && clock.nowMs() - known.atMs < consoleLimits.workerAgeMs;
      if (!isFresh) asking ??= askAll();
      const remote = (isFresh ? known?.states : await asking) ?? [];
      return [...(local === null ? [] : [local()]), ...remote];
    },
  };
}

/** A name may stand for several workers, one an address: of a Compose service, or a headless service of Kubernetes. */
async function addressesOf(url: string): Promise<string[]> {
  const { protocol, hostname, port, pathname } = new URL(url);
  const base = url.replace(/\/+$/, "");
  // A certificate is for the name.
  if (protocol !== "http:" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0 || hostname === "localhost")
    return [base];
  try {
    const found = await lookup(hostname, { all: true });
    const hosts = found.map(({ address, family }) => (family === 6 ? `[${address}]` : address));
    const path = pathname.replace(/\/+$/, "");
    return [...new Set(hosts)]
      .sort()
      .slice(0, consoleLimits.workersPerName)
      .map((host) => `http://${host}${port === "" ? "" : `:${port}`}${path}`);
  } catch {
    return [base];
  }
}

async function stateOf(url: string, clock: Clock, ask: Fetch): Promise<WorkerState> {
  const stop = new AbortController();
  const cancel = clock.after(consoleLimits.workerAnswerMs, () => stop.abort(new Error("no answer in time")));
  const init = { signal: stop.signal, redirect: "error" } as const;
  try {
    const [ready, metrics] = await Promise.all([ask(`${url}/readyz`, init), ask(`${url}/metrics`, init)]);
    const said = readyOf(await textOf(ready));
    if (said === null)
      return silent(
        url,
        `/readyz answers ${ready.status}, and not as a worker does. Does HTTP_PORT of the worker stand in SERVE_WORKERS?`,
      );
    const figures = metrics.ok ? figuresOf(await textOf(metrics)) : null;
    return { name: url, trouble: null, ...said, figures };
  } catch (error) {
    return silent(url, reasonOf(error));
  } finally {
    cancel();
    stop.abort();
  }
}

function silent(name: string, trouble: string): WorkerState {
  return { name, trouble, ready: false, notReady: [], figures: null, blocked: null };
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > consoleLimits.workerAnswerBytes) throw new Error("its answer is too long");
  }
  return text;
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
