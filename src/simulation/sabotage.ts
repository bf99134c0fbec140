/**
 * Turns off one defence of the registrar at a time, so that the checker can be seen to catch what it defends against.
 * Nearly all of it is done from outside, by ports that lie; the rest by settings.
 */
import type { Commit, EventLog, Graph, GraphAnswer, GraphReply, Session } from "../ports.ts";
import type { startRegistrar } from "../registrar/registrar.ts";
import type { RegistrarSettings } from "../registrar/settings.ts";
import type { World } from "./world.ts";

type Ports = Parameters<typeof startRegistrar>[0];
interface Parts {
  readonly ports: Ports;
  readonly settings: RegistrarSettings;
}
export type Sabotage = (ports: Ports, settings: RegistrarSettings, world: World) => Parts;

export const sabotages = {
  /** What was registered before is not known after a take-over. */
  "ledger-check": withLog((log) => ({
    ...log,
    scan: (topic, partition, from, onRecords, signal) =>
      topic === "registered"
        ? Promise.resolve({ ok: true, nextOffset: from })
        : log.scan(topic, partition, from, onRecords, signal),
  })),
  /** What the previous owner may have attempted is not known: all seems fresh. */
  watermark: withSession((session) => ({
    ...session,
    positions: (partitions) =>
      rewriteMetadata(session, partitions, (stored, offset) => ({ ...stored, a: offset })),
  })),
  /** Creates begin before the promise that covers them is stored. */
  "watermark-acknowledgement": withSession((session) => ({
    ...session,
    commit: (commits) => {
      void session.commit(commits);
      return Promise.resolve("committed");
    },
  })),
  /** Commits of an older generation take effect. */
  "generation-check": withSession((session, world) => ({
    ...session,
    commit: async (commits) => {
      const result = await session.commit(commits);
      if (result !== "superseded") return result;
      for (const { topic, partition, ...commit } of commits)
        world.broker.commit("superseded", topic, partition, commit);
      return "committed";
    },
  })),
  /** Creates begin although others may hold the partition by now. */
  "heartbeat-check": withSession((session) => ({ ...session, heldUntilMs: () => Number.POSITIVE_INFINITY })),
  /** A partition seems to be ours still, whoever owned it meanwhile. */
  claim: withSession((session, _, own) => ({
    ...session,
    commit: (commits) => {
      for (const commit of commits)
        own.set(placeOf(commit), (JSON.parse(commit.metadata) as { c: string }).c);
      return session.commit(commits);
    },
    positions: (partitions) =>
      rewriteMetadata(session, partitions, (stored, _offset, place) => ({
        ...stored,
        c: own.get(place) ?? stored.c,
      })),
  })),
  /** A record is worked on wherever it was found: two workers may hold one identity. */
  "home-partition": withSettings({ sabotage: new Set(["home-partition"]) }),
  /** Records of one machine don't wait for each other. */
  "machine-order": withSettings({ sabotage: new Set(["machine-order"]) }),
  "settle-time": withSettings({ settleMs: 0 }),
  "re-read": withSettings({ rereadCount: 1 }),
  "retention-gap": withSettings({ onRetentionGap: "continue" }),
  /** What a create of unknown outcome made is never found. */
  "read-back": withGraph((graph) => ({
    ...graph,
    list: () => Promise.resolve({ kind: "listed", objects: [], incomplete: null }),
    get: () => Promise.resolve(answer(404)),
  })),
  /** An unknown outcome counts as "not carried out". */
  "unknown-outcome": withReplies((reply) => {
    if (reply.kind === "silence") return { ...reply, sent: false, reason: "connect" };
    const isUnknown = reply.status >= 500 || reply.errorCode === "InternalError";
    return isUnknown ? { kind: "silence", sent: false, reason: "connect", detail: "" } : reply;
  }),
  /** 409 counts as a refusal of the record. */
  "conflict-adoption": withReplies((reply) =>
    reply.kind === "answer" && reply.status === 409 ? { ...reply, status: 422 } : reply,
  ),
  "retry-after": withReplies((reply) => (reply.kind === "answer" ? { ...reply, retryAfter: null } : reply)),
  /** Whoever can't be reached, or is in trouble, seems to refuse the record. */
  "outage-is-not-poison": withReplies((reply) => {
    const isTrouble = reply.kind === "silence" ? !reply.sent : reply.status === 503;
    return isTrouble ? { ...answer(400), errorCode: "BadRequest" } : reply;
  }),
  /** A blocked tenant's records seem to be refused. */
  "blocked-is-not-poison": withReplies((reply) =>
    reply.kind === "answer" && [401, 403].includes(reply.status) ? { ...reply, status: 400 } : reply,
  ),
  /** Offsets are committed before what they settle is stored. */
  "publish-before-commit": withLog((log) => ({
    ...log,
    append: (records) => {
      void log.append(records);
      return Promise.resolve({ ok: true });
    },
  })),
} satisfies Record<string, Sabotage>;

export type SabotageName = keyof typeof sabotages;

export function isSabotageName(text: string): text is SabotageName {
  return Object.hasOwn(sabotages, text);
}

function withSettings(changed: Partial<RegistrarSettings>): Sabotage {
  return (ports, settings) => ({ ports, settings: { ...settings, ...changed } });
}

function withLog(spoil: (log: EventLog) => EventLog): Sabotage {
  return (ports, settings) => ({ ports: { ...ports, log: spoil(ports.log) }, settings });
}

/** `own`: a memory for the life of one worker. */
function withSession(spoil: (session: Session, world: World, own: Map<string, string>) => Session): Sabotage {
  return (ports, settings, world) => {
    const own = new Map<string, string>();
    const join: EventLog["join"] = (onSession, onFailure) =>
      ports.log.join((session) => onSession(spoil(session, world, own)), onFailure);
    return { ports: { ...ports, log: { ...ports.log, join } }, settings };
  };
}

function withGraph(spoil: (graph: Graph) => Graph): Sabotage {
  return (ports, settings) => ({ ports: { ...ports, graph: spoil(ports.graph) }, settings });
}

function withReplies(spoil: (reply: GraphReply) => GraphReply): Sabotage {
  return withGraph((graph) => ({
    ...graph,
    create: async (tenantId, items) => (await graph.create(tenantId, items)).map(spoil),
  }));
}

function answer(status: number): GraphAnswer {
  return {
    kind: "answer",
    status,
    object: null,
    errorCode: "",
    errorMessage: "",
    retryAfter: null,
    requestId: null,
    date: null,
    ofBatch: false,
  };
}

interface Metadata {
  readonly a: number;
  readonly c: string;
}

async function rewriteMetadata(
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

function placeOf({ topic, partition }: Pick<Commit, "topic" | "partition">): string {
  return `${topic}/${partition}`;
}
