/** One run's world: broker, group, Graph service, their troubles by the plan, and the workload's arrivals. */
import type { GraphObject } from "../../src/graph-port.ts";
import { type Broker, createBroker } from "./broker.ts";
import { forked, type SimContext } from "./context.ts";
import { type Coordinator, createCoordinator } from "./coordinator.ts";
import { calmGraph, calmLog, type LogFaultRates } from "./fault-rates.ts";
import { createGraphServer, type GraphServer } from "./graph-server.ts";
import { plannedTroubles } from "./graph-troubles.ts";
import { createGroup, type Group } from "./group.ts";
import { isKept, normalise } from "./normal-form.ts";
import { placeOf } from "./origins.ts";
import type { Plan } from "./plan.ts";
import { guid, type Rng } from "./rng.ts";
import type { Access } from "./session.ts";
import type { Input, Workload } from "./workload.ts";

export interface World extends SimContext {
  readonly plan: Plan;
  readonly workload: Workload;
  readonly broker: Broker;
  readonly group: Group;
  readonly coordinator: Coordinator;
  readonly graph: GraphServer;
  logFaultRates(): LogFaultRates;
  isCalm(): boolean;
  isDenied(access: Access): boolean;
  /** Takes it away from every client for a while. */
  deny(access: Access, forMs: number): void;
  /** By `topic/partition/offset` of its first place, oldest first. */
  readonly inputsAt: ReadonlyMap<string, readonly Input[]>;
  hasAllArrived(): boolean;
}

export function createWorld(plan: Plan, workload: Workload, context: SimContext): World {
  const { scheduler, history, rng } = context;
  const isCalm = (): boolean => isCalmAt(plan, scheduler.nowMs());
  const broker = createBroker(plan.partitionCount, plan.offsets, forked(context, "broker"));
  const isUp = (): boolean => broker.isUp() && coordinator.isAvailable();
  const group = createGroup({ partitionCount: plan.partitionCount, isUp }, forked(context, "group"));
  const coordinator = createCoordinator(broker, group, context);
  const graph = createGraph(plan, workload, forked(context, "graph"));
  const denied = new Map<Access, number>();

  const inputsAt = new Map<string, Input[]>();
  let arrived = 0;
  const arrive = (input: Input): void => {
    // Installers keep trying while the broker is away.
    const { topic, partition } = input.record;
    if (!broker.isUp() || broker.isLeaderless(topic, partition))
      return void scheduler.after(1_000, () => arrive(input));
    const place = placeOf(broker.store(input.record, "installer"));
    inputsAt.set(place, [...(inputsAt.get(place) ?? []), input]);
    arrived++;
  };
  for (const input of workload.inputs) scheduler.after(input.atMs, () => arrive(input));

  for (const { fromMs, untilMs } of plan.brokerOutages) {
    scheduler.after(fromMs, () => {
      broker.setUp(false);
      history.strike("broker outage", "broker");
      scheduler.after(untilMs - fromMs, () => {
        broker.setUp(true);
        group.resume();
      });
    });
  }
  for (const { fromMs, untilMs, tenant, trouble } of plan.troubles) {
    const whom = tenant === null ? "everybody" : workload.tenants[tenant % workload.tenants.length];
    scheduler.after(fromMs, () => history.add({ kind: "note", by: "graph", text: `${trouble} for ${whom}` }));
    scheduler.after(untilMs, () =>
      history.add({ kind: "note", by: "graph", text: `${trouble} over for ${whom}` }),
    );
  }
  if (plan.hasForeignObjects) {
    for (const tenantId of workload.tenants)
      for (const { id, ...details } of foreignObjects(rng))
        graph.add(tenantId, { id, ...normalise(plan.normalForm, details, workload.inUtc) });
    const finer = rng.fork("finer objects");
    for (const tenantId of workload.tenants) if (finer.chance(0.5)) graph.hold(tenantId, finerObject(finer));
  }
  if (plan.commitsExpireAtMs !== null) scheduler.after(plan.commitsExpireAtMs, () => expire());
  if (plan.retentionAtMs !== null) scheduler.after(plan.retentionAtMs, () => takeUnsettled());

  /**
   * Committed offsets expire in a group that had no members for days. A worker takes a partition without commits and
   * without registered records for new, so expiry before the first of them is stored is a stated limit.
   */
  function expire(): void {
    if (group.memberCount() === 0 && hasRegisteredEverywhere()) broker.expireCommits();
    else if (!isCalm()) scheduler.after(1_000, expire);
  }

  function hasRegisteredEverywhere(): boolean {
    const partitions = Array.from({ length: plan.partitionCount }, (_, partition) => partition);
    return partitions.every((partition) => {
      const { start, end } = broker.bounds("registered", partition);
      return end > start || broker.committed("enrolled", partition) === null;
    });
  }

  function takeUnsettled(): void {
    for (let partition = 0; partition < plan.partitionCount; partition++) {
      const { end } = broker.bounds("enrolled", partition);
      const committed = broker.committed("enrolled", partition)?.offset;
      if (committed !== undefined && committed + 1 < end) {
        history.strike("retention", "broker");
        return broker.truncate("enrolled", partition, rng.int(committed + 1, end));
      }
    }
    if (!isCalm()) scheduler.after(1_000, takeUnsettled);
  }

  return {
    ...context,
    plan,
    workload,
    broker,
    group,
    coordinator,
    graph,
    logFaultRates: () => (isCalm() ? calmLog : plan.logFaultRates),
    isCalm,
    isDenied: (access) => scheduler.nowMs() < (denied.get(access) ?? 0),
    deny(access, forMs) {
      denied.set(access, scheduler.nowMs() + forMs);
      history.add({ kind: "note", by: "broker", text: `access to ${access} is lost for ${forMs} ms` });
      scheduler.after(forMs, broker.wake);
    },
    inputsAt,
    hasAllArrived: () => arrived === workload.inputs.length,
  };
}

function isCalmAt({ activeMs }: Plan, nowMs: number): boolean {
  return nowMs >= activeMs;
}

function createGraph(plan: Plan, workload: Workload, context: SimContext): GraphServer {
  const { scheduler, history } = context;
  const calm = { ...calmGraph, listLagMaxMs: plan.graphFaultRates.listLagMaxMs };
  const isNormal = !isKept(plan.normalForm);
  return createGraphServer(
    {
      idMode: plan.idMode,
      emptyListIsError: plan.emptyListIsError,
      normalises(details) {
        const stored = isNormal ? normalise(plan.normalForm, details, workload.inUtc) : details;
        const isChanged = stored.enrollmentDateTime !== details.enrollmentDateTime;
        if (isChanged || stored.connectorName !== details.connectorName)
          history.strike("values normalised", "graph");
        return stored;
      },
      refuses: (tenantId, details) => {
        const identity = workload.identityOf(tenantId, details);
        return identity !== null && workload.identities[identity]!.isRefused;
      },
      faultRates: () => (isCalmAt(plan, scheduler.nowMs()) ? calm : plan.graphFaultRates),
      ...plannedTroubles(plan, workload, scheduler.nowMs),
      strike: (fault) => history.strike(fault, "graph"),
      onCreated: (tenantId, object, { by, number, item, calledAtMs }) =>
        history.add({ kind: "created", by, call: number, item, calledAtMs, tenantId, object }),
    },
    context,
  );
}

/** Objects that others made, among them one with a date-time that means "never" and one that is none. */
function foreignObjects(rng: Rng): GraphObject[] {
  return ["2019-05-05T05:05:05.5Z", "0001-01-01T00:00:00Z", ""].map((enrollmentDateTime) => ({
    id: guid(rng),
    connectorName: "connector-0",
    machineName: "srv-0.contoso.example",
    enrollmentDateTime,
    lastCheckinDateTime: enrollmentDateTime,
    connectorVersion: "1",
  }));
}

/** Made by others before Graph began to change what it keeps, or on another way than ours: every digit and blank is kept. */
function finerObject(rng: Rng): GraphObject {
  return {
    id: guid(rng),
    connectorName: " Connector of others",
    machineName: "Others.contoso.example ",
    enrollmentDateTime: "2019-05-05T05:05:05.1234567+05:30",
    lastCheckinDateTime: "2019-05-05T05:05:05.1234567+05:30",
    connectorVersion: "1",
  };
}
