/**
 * A gate for each cloud: an outage of one delays no tenant of another. Each is made for the first request of a tenant in it.
 *
 * 1. A request ends at the gate at which it began, also if its tenant has moved to another cloud meanwhile.
 */

import type { BreakerState } from "../../policy/breaker.ts";
import type { ServedTenants } from "../../ports.ts";
import type { BackoffPorts } from "../ports.ts";
import { createGate, type Gate } from "./gate.ts";

export function createGates(
  ports: BackoffPorts,
  { cloudOf, clouds }: Pick<ServedTenants, "cloudOf" | "clouds">,
): Gate {
  const gates = new Map<string, Gate>();
  const wakers: ((tenantId: string) => void)[] = [];
  let createsWait: Parameters<Gate["setCreatesWait"]>[0] = () => false;
  /** Of tenants with requests under way. */
  const underWay = new Map<string, { readonly gate: Gate; count: number }>();
  const gateOf = (tenantId: string): Gate => underWay.get(tenantId)?.gate ?? ofCloud(cloudOf(tenantId)); // 1
  const ofCloud = (cloud: string): Gate => gates.get(cloud) ?? open(cloud);

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
      wakers.push(wake);
      for (const gate of gates.values()) gate.onOpening(wake);
    },
    setCreatesWait(ask) {
      createsWait = ask;
    },
    state: () => worst([...gates.values()].map((gate) => gate.state())),
  };

  function open(cloud: string): Gate {
    const gate = createGate(ports, () => (clouds().length > 1 ? cloud : null));
    gates.set(cloud, gate);
    for (const wake of wakers) gate.onOpening(wake);
    gate.setCreatesWait(() => createsWait((tenantId) => gateOf(tenantId) === gate));
    return gate;
  }

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
