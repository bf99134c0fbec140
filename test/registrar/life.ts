/** Stages and events of a record's life, by the names that the tables of the tests use. */

import { settings } from "../../lab/testkit/registrar-world.ts";
import { answers, silence } from "../../lab/testkit/scripted-graph.ts";
import type { GraphObject, GraphReply } from "../../src/graph-port.ts";
import type { Verdict } from "../../src/policy/classify.ts";
import type { Known } from "../../src/registrar/flow/doubt.ts";
import type { Answered, LifeEvent, TenantNow, Turn } from "../../src/registrar/flow/life-events.ts";
import {
  type Doubt,
  enteredStage,
  type Life,
  type Past,
  type Stage,
} from "../../src/registrar/intake/stage.ts";

export const known: Known = { rules: settings, shown: { route: true, ids: false, honoursIds: false } };
/** Graph has made an object under an id of ours. */
export const knownToHonourIds: Known = {
  rules: settings,
  shown: { route: true, ids: true, honoursIds: true },
};

export const postedAtMs = 1_000;
export const answeredAtMs = 2_000;
export const settledAtMs = postedAtMs + settings.settleMs;

export const ownDoubt: Doubt = {
  inherited: false,
  isHonoured: true,
  absentAfterMs: settledAtMs,
  orphansUntilMs: settledAtMs,
  misses: 0,
  nextReadAtMs: answeredAtMs,
  byCreate: false,
};
export const inheritedDoubt: Doubt = { ...ownDoubt, inherited: true };
export const doubtByCreate: Doubt = { ...ownDoubt, byCreate: true };

const object: GraphObject = {
  id: "made",
  connectorName: "connector",
  machineName: "machine",
  enrollmentDateTime: "2017-01-01T00:00:00Z",
  lastCheckinDateTime: "2017-01-01T00:00:00Z",
  connectorVersion: "1",
};

const fresh = enteredStage(null, 0, 0);
const posted = { attempts: 1, postedAt: { monotonicMs: postedAtMs, wallMs: postedAtMs } };

export interface Given {
  readonly doubt?: Doubt | null;
  readonly attempts?: number;
  readonly past?: Partial<Past>;
}

function lifeOf(past: Partial<Past>, life: Partial<Life>): Life {
  return { doubt: null, attempts: 0, postedAt: null, ...life, past: { ...fresh.past, ...past } };
}

/** A record at this stage, as it usually is there; `given`: what is special about it. */
export function stageOf(at: Stage["at"], { past = {}, ...life }: Given = {}): Stage {
  switch (at) {
    case "suspect":
      return { at, ...lifeOf(past, life), doubt: life.doubt ?? inheritedDoubt };
    case "reading-back":
      return { at, ...lifeOf(past, { ...posted, ...life }), doubt: life.doubt ?? ownDoubt };
    case "conflict": {
      const refusal = { detail: "409 Conflict", reply: answers(409).reply };
      return { at, refusal, ...lifeOf(past, { ...posted, ...life }) };
    }
    case "publishing":
      return { at, outcome: "registered", graphId: object.id, ...lifeOf(past, { ...posted, ...life }) };
    case "posting":
    case "posting-lost":
    case "backing-off":
      return { at, ...lifeOf(past, { ...posted, ...life }) };
    default:
      return { at, ...lifeOf(past, life) };
  }
}

export function turn(kind: Turn["kind"], facts: Partial<Turn> = {}): Turn {
  const plain = {
    standing: "served" as const,
    isRegistered: false,
    isDeadLettered: false,
    doubt: null,
    isReleased: true,
    isPromised: true,
  };
  return { kind, ...plain, ...facts };
}

const tenant: TenantNow = { creates: 0, allCreates: 0, failingForMs: 0, blockedForMs: 0, isAlone: true };

export function answered(
  verdict: Verdict,
  facts: { reply?: GraphReply; tenant?: Partial<TenantNow> } = {},
): Answered {
  const isCreated = verdict.kind === "created";
  return {
    kind: "answered",
    verdict,
    reply: facts.reply ?? answers(isCreated ? 201 : 400).reply,
    atMs: answeredAtMs,
    tenant: isCreated ? null : { ...tenant, ...facts.tenant },
  };
}

const timeout = silence("timeout", true);
const detail = "said so";
const refusal = { code: "value-empty", message: "empty", pointers: [] };

/** What can happen, by the name of it in the tables. */
export const events = {
  refused: { kind: "refused", refusal },
  astray: { kind: "astray", home: 3, tenantId: "tenant" },
  known: { kind: "known" },
  accepted: { kind: "accepted", mustPark: false },
  "accepted behind parked ones": { kind: "accepted", mustPark: true },
  first: turn("first"),
  promised: turn("promised"),
  released: turn("released"),
  rested: turn("rested"),
  reviewed: turn("reviewed"),
  posted: { kind: "posted", at: { monotonicMs: postedAtMs, wallMs: postedAtMs } },
  "201": answered({ kind: "created", object }),
  "409": answered({ kind: "conflict", detail }, { reply: answers(409).reply }),
  "429": answered({ kind: "throttled", afterMs: 5_000, detail }, { reply: answers(429).reply }),
  "400": answered({ kind: "refused", code: "graph-400", detail }),
  "400 without a reason": answered({ kind: "unknown", cause: "vague", afterMs: null, detail }),
  "time-out": answered({ kind: "unknown", cause: "failure", afterMs: null, detail }, { reply: timeout }),
  "503": answered(
    { kind: "unknown", cause: "outage", afterMs: 7_000, detail },
    { reply: answers(503).reply },
  ),
  "not sent": answered({ kind: "unavailable", detail }, { reply: silence("connect", false) }),
  "400 to the batch": answered({ kind: "batch-refused", detail }),
  "403": answered({ kind: "tenant-blocked", detail }),
  "no route": answered({ kind: "no-route", detail }, { reply: answers(404).reply }),
  found: { kind: "found", object, reply: null },
  "missed by id": { kind: "missed", by: "id", startedMs: settledAtMs, atMs: settledAtMs },
  "missed in a list": { kind: "missed", by: "list", startedMs: settledAtMs, atMs: settledAtMs },
  undecided: { kind: "undecided", startedMs: settledAtMs },
  unread: { kind: "unread", atMs: settledAtMs },
  unlike: { kind: "unlike", atMs: settledAtMs },
  unreadable: { kind: "unreadable", detail, waitedMs: settings.tenantBlockedMaxMs + 1 },
  room: { kind: "room" },
  appended: { kind: "appended" },
  arrived: { kind: "arrived" },
  "copy lost": { kind: "copy-lost" },
  lost: { kind: "lost" },
} as const satisfies Record<string, LifeEvent>;

export type EventName = keyof typeof events;
export const eventNames = Object.keys(events) as EventName[];
