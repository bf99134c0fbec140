/** The answers of `POST /events`, as schemas and as functions from what is known of an event. */
import Type from "typebox";
import type { Enrollment } from "../../index/enrollment-index.ts";
import { type Failure, failures } from "../http/problem.ts";
import type { AcceptedEvent, Verdict } from "./judge.ts";

export const eventAnswer = Type.Object({
  key: Type.String({
    description: "Idempotency key of the enrollment: the same for the same enrollment, always.",
  }),
  id: Type.String({ description: "CloudEvents id, as it was sent." }),
  tenantId: Type.String(),
  state: Type.Union([Type.Literal("waiting"), Type.Literal("registered"), Type.Literal("refused")]),
  known: Type.Boolean({ description: "The same enrollment was there before this event." }),
  status: Type.String({ description: "Where to ask what becomes of it." }),
  graphId: Type.Optional(Type.String({ description: "Id that Graph assigned, once it is registered." })),
  refused: Type.Optional(
    Type.Object({ code: Type.String(), message: Type.String(), pointers: Type.Array(Type.String()) }),
  ),
});
export type EventAnswer = Type.Static<typeof eventAnswer>;
export const batchAnswer = Type.Object({ events: Type.Array(eventAnswer) });

export function statusPath(key: string): string {
  return `/enrollments/${key}`;
}

/** `before`: what the index knew when the event came; `after`: what became of it while the client waited. */
export function answerOf(
  event: Pick<AcceptedEvent, "key" | "eventId" | "tenantId">,
  before: Enrollment | null,
  after: Enrollment | null,
): EventAnswer {
  const { key, eventId: id, tenantId } = event;
  const settled = after ?? (before?.state === "registered" ? before : null);
  const answer = { key, id, tenantId, known: before !== null, status: statusPath(key) };
  if (settled?.registered && settled.state === "registered")
    return { ...answer, state: "registered", graphId: settled.registered.graphId };
  if (after?.refused) {
    const { code, message, pointers } = after.refused;
    return { ...answer, state: "refused", refused: { code, message, pointers: [...pointers] } };
  }
  return { ...answer, state: "waiting" };
}

/** 201: registered while the client waited. 200: it had been before. 202: it is stored, and the worker has it. */
export function statusOf(answers: readonly EventAnswer[], fresh: number): 200 | 201 | 202 {
  if (answers.some(({ state }) => state !== "registered")) return 202;
  return fresh > 0 ? 201 : 200;
}

/** The worker refused the one event while its sender waited. */
export function refusedFailure({ key, refused }: EventAnswer): Failure {
  const { code, message, pointers } = refused!;
  const fix = "Correct what the message names, and send the event again.";
  return { status: 422, code, message, fix, pointers, key };
}

/** Why nothing of the request is stored; null: all of it is right. */
export function refusalOf(mode: "one" | "batch", verdicts: readonly Verdict[]): Failure | null {
  const bad = verdicts.filter(({ ok }) => !ok);
  if (bad.length === 0) return null;
  if (mode === "one") return failureOf(bad[0]!);
  const isForbidden = bad.some((verdict) => !verdict.ok && verdict.forbiddenTenant !== null);
  const events = verdicts.map((verdict, index) => {
    if (verdict.ok) return { index, ok: true, key: verdict.key, id: verdict.eventId };
    const { code, message, pointers } = failureOf(verdict)!;
    return { index, ok: false, code, message, pointers: pointers ?? [] };
  });
  return failures.eventsRefused(isForbidden ? 403 : 400, bad.length, events);
}

function failureOf(verdict: Verdict): Failure | null {
  if (verdict.ok) return null;
  if (verdict.forbiddenTenant !== null) return failures.tenantForbidden(verdict.forbiddenTenant);
  const { code, message, pointers } = verdict.refusal;
  const fix = "Correct it where the event is made, and send it again. Nothing was stored.";
  return { status: 400, code, message, fix, pointers };
}
