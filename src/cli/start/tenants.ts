/** What `start` says of its tenants file: log lines, gauges, readiness. */
import { countTenants, type Tenants, type TenantsNote } from "../../compose/tenants.ts";
import type { Worker } from "../../compose.ts";
import type { Logger } from "../../observe/logger.ts";
import type { MeasuredTenants } from "../../observe/tenants-metrics.ts";
import type { Readiness } from "../../server/health-server.ts";

/** Each reading that changes something is a line; each bad file an error with all that is wrong, as far as it is shown. */
export function logTenants(logger: Logger, note: TenantsNote): void {
  if (note.kind === "bad") {
    const { problems, fix } = note;
    const text = `TENANTS_FILE can't be used, the former list stays in use: ${problems[0]}`;
    return logger.error({ code: "tenants-file", problems, fix }, `${text}. ${fix}`);
  }
  const { kind: _, durationMs, ...counts } = note;
  const isSame = Object.values(counts).every((count) => count === 0);
  logger.info(
    { ...counts, durationMs: Math.round(durationMs) },
    isSame ? "TENANTS_FILE was read again, nothing changed" : "TENANTS_FILE was read again",
  );
}

export function measuredTenants(
  { served }: Tenants,
  worker: () => Pick<Worker, "tenantsProblem"> | null,
): () => MeasuredTenants {
  const count = countTenants(served);
  return () => ({ ...count(), isFileBad: worker()?.tenantsProblem() != null });
}

/** A bad file is not a reason to stop: the worker uses the former list and reports the problem. */
export function readinessOf(worker: Worker | null, phase: string): Readiness {
  if (worker === null) return { ready: false, notReady: [phase] };
  const { ready, notReady } = worker.registrar.status();
  const problem = worker.tenantsProblem();
  if (problem === null) return { ready, notReady };
  return {
    ready: false,
    notReady: [...notReady, `tenants: TENANTS_FILE can't be used, the former list stays in use: ${problem}`],
  };
}
