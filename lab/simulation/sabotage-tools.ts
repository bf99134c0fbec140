/** How a sabotage lies to the registrar: by its ports, by its settings, by what it reads in committed metadata. */
import type { Graph, GraphReply } from "../../src/graph-port.ts";
import type { Clock, Commit, EventLog, Session } from "../../src/ports.ts";
import type { Ports } from "../../src/registrar/ports.ts";
import type { RegistrarSettings } from "../../src/registrar/settings.ts";
import type { World } from "./world.ts";

interface Parts {
  readonly ports: Ports;
  readonly settings: RegistrarSettings;
}
export type Sabotage = (ports: Ports, settings: RegistrarSettings, world: World) => Parts;

export function withSettings(changed: Partial<RegistrarSettings>): Sabotage {
  return (ports, settings) => ({ ports, settings: { ...settings, ...changed } });
}

export function withLog(spoil: (log: EventLog) => EventLog): Sabotage {
  return (ports, settings) => ({ ports: { ...ports, log: spoil(ports.log) }, settings });
}

/** Whose sessions are spoiled. */
interface SpoiledWorker {
  readonly world: World;
  /** A memory for the life of this worker. */
  readonly own: Map<string, string>;
  readonly clock: Clock;
}

export function withSession(spoil: (session: Session, worker: SpoiledWorker) => Session): Sabotage {
  return (ports, settings, world) => {
    const worker = { world, own: new Map<string, string>(), clock: ports.clock };
    const join: EventLog["join"] = (onSession, onFailure) =>
      ports.log.join((session) => onSession(spoil(session, worker)), onFailure);
    return { ports: { ...ports, log: { ...ports.log, join } }, settings };
  };
}

export function withPorts(spoil: (ports: Ports) => Ports): Sabotage {
  return (ports, settings) => ({ ports: spoil(ports), settings });
}

export function withGraph(spoil: (graph: Graph, world: World) => Graph): Sabotage {
  return (ports, settings, world) => ({ ports: { ...ports, graph: spoil(ports.graph, world) }, settings });
}

export function withReplies(spoil: (reply: GraphReply) => GraphReply): Sabotage {
  return withGraph((graph) => ({
    ...graph,
    create: async (tenantId, items) => (await graph.create(tenantId, items)).map(spoil),
  }));
}

/** As the registrar writes it. */
export interface Metadata {
  readonly a: number;
  readonly c: string;
  readonly s?: number;
  readonly o?: number;
  readonly t?: string | null;
  readonly g?: string | null;
  readonly l?: number;
  readonly r?: number;
  readonly m?: string;
  readonly w?: number;
}

export async function rewriteMetadata(
  session: Session,
  partitions: readonly number[],
  rewrite: (stored: Metadata, offset: number, place: string) => Metadata,
): ReturnType<Session["positions"]> {
  const result = await session.positions(partitions);
  if (!result.ok) return result;
  const positions = result.positions.map((position) => {
    if (position.committed === null) return position;
    const { offset, metadata } = position.committed;
    const changed = rewrite(JSON.parse(metadata) as Metadata, offset, placeOf(position));
    return { ...position, committed: { offset, metadata: JSON.stringify(changed) } };
  });
  return { ok: true, positions };
}

export function placeOf({ topic, partition }: Pick<Commit, "topic" | "partition">): string {
  return `${topic}/${partition}`;
}
