/**
 * A gate for each cloud: an outage of one holds up no tenant of another.
 *
 * 1. A request ends at the gate at which it began, also if its tenant has moved to another cloud meanwhile.
 */
import type { BreakerState } from "../../policy/breaker.ts";
import type { ServedTenants } from "../../ports.ts";
import { createGate, type Gate, type GatePorts } from "./gate.ts";

export function createGates(
  ports: GatePorts,
  { clouds, cloudOf }: Pick<ServedTenants, "clouds" | "cloudOf">,
): Gate {
  const [only = "", ...others] = clouds;
  if (others.length === 0) return createGate(ports);
  const gates = new Map(clouds.map((cloud) => [cloud, createGate(ports, cloud)]));
  const all = [...gates.values()];
  const first = gates.get(only)!;
  /** Of tenants with requests under way. */
  const underWay = new Map<string, { readonly gate: Gate; count: number }>();
  const gateOf = (tenantId: string): Gate =>
    underWay.get(tenantId)?.gate ?? gates.get(cloudOf(tenantId)) ?? first; // 1

  return {
    opensAtMs: (tenantId) => gateOf(tenantId).opensAtMs(tenantId),
    isProbed: (tenantId) => gateOf(tenantId).isProbed(tenantId),
    isSuspected: (tenantId) => gateOf(tenantId).isSuspected(tenantId),
    begin(tenantId) {
      const gate = gateOf(tenantId);
      underWay.set(tenantId, { gate, count: (underWay.get(tenantId)?.count ?? 0) + 1 });
      gate.begin(tenantId);
    },
    end: (tenantId, ...answer) => leave(tenantId).end(tenantId, ...answer),
    endRead: (tenantId, ...answer) => leave(tenantId).endRead(tenantId, ...answer),
    onOpening(wake) {
      for (const gate of all) gate.onOpening(wake);
    },
    setCreatesWait(createsWait) {
      for (const [cloud, gate] of gates) {
        const isOfIt = (tenantId: string): boolean => gateOf(tenantId) === gates.get(cloud);
        gate.setCreatesWait(() => createsWait(isOfIt));
      }
    },
    state: () => worst(all.map((gate) => gate.state())),
  };

  function leave(tenantId: string): Gate {
    const gate = gateOf(tenantId);
    const entry = underWay.get(tenantId);
    if (entry !== undefined && --entry.count === 0) underWay.delete(tenantId);
    return gate;
  }
}

function worst(states: readonly BreakerState[]): BreakerState {
  return states.find((state) => state === "open") ?? states.find((state) => state === "probing") ?? "closed";
}
