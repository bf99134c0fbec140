/** The Graph emulator as a process, and the way to it. */
import type { GraphObject } from "../../src/graph-port.ts";
import { type Environment, emulatorCommand, type Processes } from "./processes.ts";

export interface GraphProcess {
  /** What leads a worker there. */
  readonly environment: Environment;
  readonly pid: number;
  /** `http:`, of `/_control` and of Graph itself. */
  readonly url: string;
  inventory(): Promise<Record<string, GraphObject[]>>;
  /** So many times the usual share of faults; 1: as it starts. */
  roughen(times: number): Promise<void>;
  /** `PUT /_control/settings`. */
  set(settings: object): Promise<void>;
}

export const graphFaultChoices = ["all", "plain"] as const;
/**
 * `plain`: without the answers that hide a create that has run, and without a batch refused as a whole. 0.1.0 does not
 * read back after the former, and gives up on the latter. It is what chaos of 0.1.0 let Graph do.
 */
export type GraphFaults = (typeof graphFaultChoices)[number];

export interface GraphRun {
  readonly ids: string;
  readonly seed: number;
  readonly requestTimeoutMs: number;
  readonly graphFaults: GraphFaults;
}

/** Connections cut before, during and after the reply, replies later than anyone waits, refusals now and then. */
const plainFaults = {
  resetBefore: 0.02,
  resetAfter: 0.03,
  truncated: 0.03,
  slowBefore: 0.01,
  slowAfter: 0.01,
  throttled: 0.02,
  unavailable: 0.02,
  errorAfter: 0.01,
  batchMissingItem: 0.02,
};

const furtherFaults = {
  unavailableAfter: 0.02,
  bandwidthAfter: 0.005,
  lockedAfter: 0.005,
  htmlAfter: 0.005,
  batchRefused: 0.02,
};

const measures = { retryAfterMs: 500, latency: { kind: "uniform", minMs: 10, maxMs: 60 } };

export async function startGraph(processes: Processes, run: GraphRun): Promise<GraphProcess> {
  const environment: Record<string, string> = {};
  const ready = Promise.withResolvers<string>();
  const command = [
    ...emulatorCommand,
    "--https-port",
    "0",
    "--http-port",
    "0",
    "--ids",
    run.ids,
    "--seed",
    String(run.seed),
  ];
  const child = processes.start("graph", { command, environment: {} }, (line) => {
    const setting = /^export ([A-Z_]+)=(.*)$/.exec(line);
    if (setting) environment[setting[1]!] = setting[2]!;
    const url = / and (http:\S+)\. /.exec(line)?.[1];
    if (url !== undefined) environment.CONTROL = `${url}/_control`;
    if (line.startsWith("# What it holds")) ready.resolve(environment.CONTROL ?? "");
  });
  void child.ended.then((how) => ready.reject(new Error(`the Graph emulator ended: ${how}`)));
  const control = await ready.promise;
  const { CONTROL: _, AZURE_TENANT_ID: __, ...forWorkers } = environment;
  const put = async (what: string, body: object) => {
    const answer = await fetch(`${control}/${what}`, { method: "PUT", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the Graph emulator does not accept ${what}: ${await answer.text()}`);
  };
  const roughen = (times: number) => put("faults", faultsOf(run, times));
  await roughen(1);
  return {
    environment: forWorkers,
    pid: child.pid,
    url: control.slice(0, -"/_control".length),
    inventory: async () =>
      (await (await fetch(`${control}/inventory`)).json()) as Record<string, GraphObject[]>,
    roughen,
    set: (settings) => put("settings", settings),
  };
}

/** For `PUT /_control/faults`: this multiple of the usual share of each. */
export function faultsOf(
  { graphFaults, requestTimeoutMs }: Pick<GraphRun, "graphFaults" | "requestTimeoutMs">,
  times: number,
): Readonly<Record<string, unknown>> {
  const shares = graphFaults === "plain" ? plainFaults : { ...plainFaults, ...furtherFaults };
  const more = Object.entries(shares).map(([kind, share]) => [kind, share * times]);
  return { ...Object.fromEntries(more), ...measures, slowMs: requestTimeoutMs * 1.5 };
}
