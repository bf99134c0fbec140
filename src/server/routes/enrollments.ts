/**
 * `GET /enrollments/{key}`: what became of an enrollment.
 *
 * An enrollment of a tenant that the token is not for is answered as one that does not exist.
 */

import Type from "typebox";
import { positionId } from "../../domain/origin.ts";
import type { Enrollment } from "../../index/enrollment-index.ts";
import type { App } from "../app-type.ts";
import { mayUse } from "../auth/principal.ts";
import { failures, problemBody } from "../http/problem.ts";
import { sendFailure } from "../http/send.ts";
import type { RecentEvent } from "../intake/recent.ts";
import type { RouteContext } from "../parts.ts";
import { waitingFor } from "../waiting-for.ts";

const text = Type.String();
const textOrNull = Type.Union([Type.String(), Type.Null()]);
const time = Type.Union([Type.String(), Type.Null()], { description: "RFC 3339." });
const position = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

const enrollmentStatus = Type.Object({
  key: Type.String(),
  tenantId: Type.String(),
  state: Type.Union([Type.Literal("waiting"), Type.Literal("registered"), Type.Literal("refused")]),
  machineName: textOrNull,
  connectorName: textOrNull,
  enrollmentDateTime: textOrNull,
  eventId: textOrNull,
  source: textOrNull,
  enrolledAt: time,
  position: position("Where its event was first stored: topic/partition/offset."),
  waiting: Type.Optional(
    Type.Object({
      for: Type.Union([Type.Literal("worker"), Type.Literal("parked"), Type.Literal("tenant")], {
        description:
          "worker: it is not read yet, or is being worked on, at the tenant's pace. parked: in the retry topic, until its tenant can continue. tenant: the worker of this process knows why.",
      }),
      message: text,
      position: position("Where it stands now."),
    }),
  ),
  registered: Type.Optional(
    Type.Object({
      graphId: text,
      outcome: Type.Union([Type.Literal("created"), Type.Literal("recovered")]),
      attempts: Type.Integer(),
      requestId: textOrNull,
      at: time,
      position: text,
    }),
  ),
  refused: Type.Optional(
    Type.Object({
      id: Type.String({ description: "The dead letter's id; replay --id takes it." }),
      code: text,
      message: text,
      pointers: Type.Array(Type.String()),
      attempts: Type.Integer(),
      requestId: textOrNull,
      at: time,
      replayed: Type.Boolean({ description: "It was put back into the input since." }),
    }),
  ),
});
type EnrollmentStatus = Type.Static<typeof enrollmentStatus>;

const uuid = "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$";
const schema = {
  summary: "What became of an enrollment.",
  params: Type.Object({ key: Type.String({ pattern: uuid, description: "Idempotency key." }) }),
  response: { 200: enrollmentStatus, 401: problemBody, 404: problemBody, 503: problemBody },
};

export function enrollmentRoutes(app: App, context: RouteContext): void {
  app.get("/enrollments/:key", { schema }, async (request, reply) => {
    const key = request.params.key.toLowerCase();
    const principal = request.principal!;
    const index = context.index();
    const found = index?.find(key) ?? null;
    const recent = found === null ? context.recent.find(key) : null;
    const tenantId = found?.tenantId ?? recent?.tenantId ?? null;
    if (tenantId !== null && mayUse(principal, tenantId)) {
      const status = found === null ? statusOfRecent(recent!) : statusOf(key, tenantId, found);
      return explained(status, context);
    }
    // Whether it is unknown or another's: the answer depends on the index alone.
    return sendFailure(
      reply,
      index?.progress().caughtUp ? failures.enrollmentUnknown() : failures.indexBehind(),
    );
  });
}

/** Why it waits, where a worker of this process knows. */
function explained(status: EnrollmentStatus, { whyTenantWaits }: RouteContext): EnrollmentStatus {
  const why = status.waiting === undefined ? null : whyTenantWaits(status.tenantId);
  return why === null ? status : { ...status, waiting: { ...status.waiting!, for: "tenant", message: why } };
}

function statusOfRecent(recent: RecentEvent): EnrollmentStatus {
  return {
    ...{ key: recent.key, tenantId: recent.tenantId, state: "waiting", eventId: recent.eventId },
    ...{ machineName: null, connectorName: null, enrollmentDateTime: null, source: null },
    ...{ enrolledAt: null, position: null, waiting: { ...waitingFor(null), position: null } },
  };
}

function statusOf(key: string, tenantId: string, found: Enrollment): EnrollmentStatus {
  const { state, machineName, connectorName, enrollmentDateTime, eventId, source } = found;
  const { waiting, registered, refused } = found;
  return {
    ...{ key, tenantId, state, machineName, connectorName, enrollmentDateTime, eventId, source },
    enrolledAt: isoTime(found.enrolledAtMs),
    position: found.position === null ? null : positionId(found.position),
    ...(waiting && {
      waiting: { ...waitingFor(waiting.position), position: positionId(waiting.position) },
    }),
    ...(registered && {
      registered: {
        graphId: registered.graphId,
        outcome: registered.outcome,
        attempts: registered.attempts,
        requestId: registered.requestId,
        at: isoTime(registered.atMs),
        position: positionId(registered.position),
      },
    }),
    ...(refused && { refused: refusedOf(refused) }),
  };
}

function refusedOf({
  id,
  code,
  message,
  pointers,
  attempts,
  requestId,
  atMs,
  replayed,
}: NonNullable<Enrollment["refused"]>) {
  return { id, code, message, pointers: [...pointers], attempts, requestId, at: isoTime(atMs), replayed };
}

function isoTime(ms: number | null): string | null {
  return ms === null || ms === 0 ? null : new Date(ms).toISOString();
}
