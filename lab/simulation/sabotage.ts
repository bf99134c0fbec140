/**
 * Turns off one defence of the registrar at a time, so that the checker can be seen to catch what it defends against.
 * Nearly all of it is done from outside, by ports that lie; the rest by settings.
 */
import type { GraphObject } from "../../src/graph-port.ts";
import type { TopicSurvey } from "../../src/ports.ts";
import { graphAnswer } from "./graph-answer.ts";
import {
  placeOf,
  rewriteMetadata,
  type Sabotage,
  withGraph,
  withLog,
  withPorts,
  withReplies,
  withSession,
  withSettings,
} from "./sabotage-tools.ts";

export const sabotages = {
  /** What was registered before is not known after a take-over. */
  "ledger-check": withLog((log) => ({
    ...log,
    scan: (...call) => {
      const [topic, , from] = call;
      return topic === "registered" ? Promise.resolve({ ok: true, nextOffset: from }) : log.scan(...call);
    },
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
  "generation-check": withSession((session, { world }) => ({
    ...session,
    commit: async (commits) => {
      const result = await session.commit(commits);
      if (result !== "superseded") return result;
      for (const commit of commits) world.broker.commit("superseded", commit);
      return "committed";
    },
  })),
  /** Creates begin although others may hold the partition by now. */
  "heartbeat-check": withSession((session) => ({ ...session, heldUntilMs: () => Number.POSITIVE_INFINITY })),
  /** A partition seems to be ours still, even if another worker owned it meanwhile. */
  claim: withSession((session, { own }) => ({
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
    get: () => Promise.resolve(graphAnswer(404)),
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
  /** A Graph that can't be reached, or is in trouble, seems to refuse the record. */
  "outage-is-not-poison": withReplies((reply) => {
    const isTrouble = reply.kind === "silence" ? !reply.sent : reply.status === 503;
    return isTrouble ? graphAnswer(400, { errorCode: "BadRequest" }) : reply;
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
  /** The right to post counts from heartbeats alone, which a coordinator that was cut off still answers. */
  "commit-lease": withSession((session, { clock }) => ({
    ...session,
    get leaseMs() {
      return clock.nowMs() < session.heldUntilMs() ? Number.POSITIVE_INFINITY : 0;
    },
  })),
  /** The wall clock seems to have stood still with the monotonic one. */
  "wall-clock": withPorts((ports) => {
    // In the process itself, so that its adapters are deceived too.
    const { clock } = ports;
    const offsetMs = clock.wallMs() - clock.nowMs();
    clock.wallMs = () => clock.nowMs() + offsetMs;
    return ports;
  }),
  /** A copy elsewhere of an enrollment in doubt counts as fresh. */
  "suspects-by-identity": withSettings({ sabotage: new Set(["suspects-by-identity"]) }),
  /** The next owner waits for its own time limits. */
  "writers-limits": withSession((session) => ({
    ...session,
    positions: (partitions) => rewriteMetadata(session, partitions, ({ s: _s, o: _o, ...others }) => others),
  })),
  /** A static member's place seems to be free as soon as another one has it. */
  "static-overlap": withSession((session) => ({
    ...session,
    positions: (partitions) => rewriteMetadata(session, partitions, ({ m: _m, w: _w, ...others }) => others),
  })),
  /** What a vanished worker's kernel still sends is not waited for. */
  "orphan-time": withSettings({ orphanMs: 0 }),
  /** A topic that was made again passes for the one that was known. */
  "topic-id": withoutTopicIds,
  /** A ledger that lacks what it held before passes for the one that was known. */
  "ledger-length": withoutLedgerLength,
  /** 503, 509 and 423 count as "not carried out". */
  unavailable: withReplies((reply) =>
    reply.kind === "answer" && [503, 509, 423].includes(reply.status) ? { ...reply, status: 429 } : reply,
  ),
  /** An object that Graph changed on storing it is not known again. */
  "normal-form": withGraph((graph, world) => ({
    ...graph,
    list: async (tenantId) => {
      const reply = await graph.list(tenantId);
      if (reply.kind !== "listed") return reply;
      const isAsSent = (object: GraphObject): boolean => world.workload.identityOf(tenantId, object) !== null;
      return { ...reply, objects: reply.objects.filter(isAsSent) };
    },
  })),
  /** An object that looks alike is adopted though another enrollment has claimed it. */
  "claimed-objects": withSettings({ sabotage: new Set(["claimed-objects"]) }),
  /** What an earlier owner dead-lettered, and did not commit, is looked up in Graph. */
  "dead-letters-unread": withSettings({ sabotage: new Set(["dead-letters-unread"]) }),
  /** The dead-letter topic is not read again when what a killed process had on its way is over. */
  "late-dead-letters": withSettings({ sabotage: new Set(["late-dead-letters"]) }),
  /** An object that was made under another enrollment's id is adopted when it looks alike. */
  "ids-of-others": withSettings({ sabotage: new Set(["ids-of-others"]) }),
  /** An input that has come to end before its position is asked for again. */
  "end-in-take-over": withSettings({ sabotage: new Set(["end-in-take-over"]) }),
  /** What Graph may do to our values is learned from the objects of others, too. */
  "form-of-others": withSettings({ sabotage: new Set(["form-of-others"]) }),
  /** What a batch as a whole was answered counts for each of its items. */
  "batch-as-a-whole": withReplies((reply) =>
    reply.kind === "answer" ? { ...reply, ofBatch: false } : reply,
  ),
  /** A parked record counts as settled when its copy is acknowledged, not when it is read. */
  "parked-unseen": withSettings({ sabotage: new Set(["parked-unseen"]) }),
  /** Where an acknowledged copy of a parked record should stand is not known. */
  "append-offsets": withLog((log) => ({ ...log, append: (records) => log.append(records) })),
  /** How far another worker has read is not known. */
  "read-through": withSession((session) => ({
    ...session,
    positions: (partitions) => rewriteMetadata(session, partitions, ({ r: _r, ...others }) => others),
  })),
  /** What was begun for a tenant that is not listed any more is refused unread. */
  "unlisted-unread": withSettings({ sabotage: new Set(["unlisted-unread"]) }),
  /** What lists alone call absent is refused, without a read by its id. */
  "lists-alone": withSettings({ sabotage: new Set(["lists-alone"]) }),
  /** Who is served is known from the start, and for good. */
  "tenants-change": (ports, settings) => {
    const { standingOf } = settings.tenants;
    const first = new Map<string, ReturnType<typeof standingOf>>();
    const tenants = {
      ...settings.tenants,
      standingOf(tenantId: string) {
        const known = first.get(tenantId) ?? standingOf(tenantId);
        first.set(tenantId, known);
        return known;
      },
    };
    return { ports, settings: { ...settings, tenants } };
  },
  /** What was parked in doubt is taken up without doubt. */
  "parked-in-doubt": withLog((log) => ({
    ...log,
    append: (records) =>
      log.append(
        records.map((record) => ({
          ...record,
          headers: record.headers.filter(([name]) => name !== "in-doubt"),
        })),
      ),
  })),
} satisfies Record<string, Sabotage>;

export type SabotageName = keyof typeof sabotages;

export function isSabotageName(text: string): text is SabotageName {
  return Object.hasOwn(sabotages, text);
}

const oneId = "one id";

function withoutTopicIds(...args: Parameters<Sabotage>): ReturnType<Sabotage> {
  const same = withLog((log) => ({
    ...log,
    survey: async () => {
      const result = await log.survey();
      if (!result.ok) return result;
      const { enrolled, retry, registered, dlq } = result.topics;
      const hide = (topic: TopicSurvey): TopicSurvey => ({ ...topic, id: oneId });
      return {
        ok: true,
        topics: {
          enrolled: hide(enrolled),
          retry: hide(retry),
          registered: hide(registered),
          dlq: hide(dlq),
        },
      };
    },
  }));
  const goesOn = withSession((session) => ({
    ...session,
    read: async (topic, partition) => {
      const result = await session.read(topic, partition);
      if (result.kind !== "gap" || result.why !== "recreated" || result.expected > result.logEnd)
        return result;
      session.seek(topic, partition, result.expected, -1);
      return session.read(topic, partition);
    },
  }));
  const { ports, settings } = same(...args);
  return goesOn(ports, settings, args[2]);
}

function withoutLedgerLength(...args: Parameters<Sabotage>): ReturnType<Sabotage> {
  const [{ snapshots: _, ...ports }, settings, world] = args;
  const unknown = withSession((session) => ({
    ...session,
    positions: (partitions) =>
      rewriteMetadata(session, partitions, ({ g: _g, l: _l, t: _t, ...others }) => others),
  }));
  return unknown(ports, settings, world);
}
