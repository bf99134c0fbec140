/** Metrics of the tenants file. Never a tenant's id. */
import { Counter, Gauge, type Registry } from "prom-client";

export interface MeasuredTenants {
  readonly served: number;
  readonly paused: number;
  readonly isFileBad: boolean;
}

const prefix = "connector_registrar_tenants";

/** Returns how to count a reading. */
export function registerTenants(
  registry: Registry,
  measured: () => MeasuredTenants,
): (result: "reloaded" | "bad") => void {
  const registers = [registry];
  new Gauge({
    name: prefix,
    help: "Tenants of TENANTS_FILE that are served, and that are paused.",
    labelNames: ["standing"],
    registers,
    collect() {
      const { served, paused } = measured();
      this.set({ standing: "served" }, served);
      this.set({ standing: "paused" }, paused);
    },
  });
  new Gauge({
    name: `${prefix}_file_bad`,
    help: "1 while TENANTS_FILE can't be used, and the former list stays in use.",
    registers,
    collect() {
      this.set(measured().isFileBad ? 1 : 0);
    },
  });
  const readings = new Counter({
    name: `${prefix}_file_readings_total`,
    help: "How often TENANTS_FILE was read again, by result.",
    labelNames: ["result"],
    registers,
  });
  for (const result of ["reloaded", "bad"]) readings.inc({ result }, 0);
  return (result) => readings.inc({ result });
}
