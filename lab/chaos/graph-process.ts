/** The Graph emulator as a process, and the way to it. */
import type { GraphObject } from "../../src/graph-port.ts";
import { commands, type Environment, type Processes } from "./processes.ts";

export interface GraphProcess {
  /** What leads a worker there. */
  readonly environment: Environment;
  inventory(): Promise<Record<string, GraphObject[]>>;
}

/** Connections cut before, during and after the reply, replies later than anyone waits, refusals now and then. */
const faults = {
  resetBefore: 0.02,
  resetAfter: 0.03,
  truncated: 0.03,
  slowBefore: 0.01,
  slowAfter: 0.01,
  throttled: 0.02,
  unavailable: 0.02,
  errorAfter: 0.01,
  unavailableAfter: 0.02,
  bandwidthAfter: 0.005,
  lockedAfter: 0.005,
  htmlAfter: 0.005,
  batchMissingItem: 0.02,
  batchRefused: 0.02,
  retryAfterMs: 500,
  latency: { kind: "uniform", minMs: 10, maxMs: 60 },
};

export async function startGraph(
  processes: Processes,
  ids: string,
  seed: number,
  requestTimeoutMs: number,
): Promise<GraphProcess> {
  const environment: Record<string, string> = {};
  const ready = Promise.withResolvers<string>();
  const command = [
    ...commands.emulator,
    "--https-port",
    "0",
    "--http-port",
    "0",
    "--ids",
    ids,
    "--seed",
    String(seed),
  ];
  const child = processes.start("graph", command, {}, (line) => {
    const setting = /^export ([A-Z_]+)=(.*)$/.exec(line);
    if (setting) environment[setting[1]!] = setting[2]!;
    const url = / and (http:\S+)\. /.exec(line)?.[1];
    if (url !== undefined) environment.CONTROL = `${url}/_control`;
    if (line.startsWith("# What it holds")) ready.resolve(environment.CONTROL ?? "");
  });
  void child.ended.then((how) => ready.reject(new Error(`the Graph emulator ended: ${how}`)));
  const control = await ready.promise;
  const { CONTROL: _, AZURE_TENANT_ID: __, ...forWorkers } = environment;
  const slowMs = requestTimeoutMs * 1.5;
  const answer = await fetch(`${control}/faults`, {
    method: "PUT",
    body: JSON.stringify({ ...faults, slowMs }),
  });
  if (!answer.ok) throw new Error(`the Graph emulator takes no faults: ${await answer.text()}`);
  return {
    environment: forWorkers,
    inventory: async () =>
      (await (await fetch(`${control}/inventory`)).json()) as Record<string, GraphObject[]>,
  };
}
