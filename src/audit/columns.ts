/** One row an enrollment: the columns of an export, in their order, the same in each form. */
import type { Enrollment } from "../index/enrollment-index.ts";
import type { Position } from "../observer.ts";

export type Cell = string | number | null;
export type Cells = Readonly<Record<Column, Cell>>;

export const columns = [
  ...["time", "outcome", "tenantId", "machineName", "connectorName", "enrollmentDateTime"],
  ...[
    "eventId",
    "eventSource",
    "eventPosition",
    "enrolledAt",
    "idempotencyKey",
    "graphId",
    "requestId",
    "httpStatus",
  ],
  ...[
    "attempts",
    "recordPosition",
    "deadLetterId",
    "deadLetterCode",
    "deadLetterMessage",
    "deadLetterPointers",
  ],
  ...[
    "deadLetterAttempts",
    "deadLetterRequestId",
    "deadLetterTime",
    "deadLetterReplayed",
    "deadLetterPosition",
  ],
] as const;
export type Column = (typeof columns)[number];

export function cellsOf(enrollment: Enrollment): Cells {
  const { registered, refused, position } = enrollment;
  return {
    time: timeText(enrollment.atMs),
    outcome: outcomeOf(enrollment),
    tenantId: enrollment.tenantId,
    machineName: enrollment.machineName,
    connectorName: enrollment.connectorName,
    enrollmentDateTime: enrollment.enrollmentDateTime,
    eventId: enrollment.eventId,
    eventSource: enrollment.source,
    eventPosition: position && positionText(position),
    enrolledAt: enrollment.enrolledAtMs === null ? null : timeText(enrollment.enrolledAtMs),
    idempotencyKey: enrollment.key,
    graphId: registered?.graphId ?? null,
    requestId: registered?.requestId ?? null,
    httpStatus: registered?.status ?? null,
    attempts: registered?.attempts ?? null,
    recordPosition: registered && positionText(registered.position),
    deadLetterId: refused?.id ?? null,
    deadLetterCode: refused?.code ?? null,
    deadLetterMessage: refused?.message ?? null,
    deadLetterPointers: refused?.pointers.join(" ") ?? null,
    deadLetterAttempts: refused?.attempts ?? null,
    deadLetterRequestId: refused?.requestId ?? null,
    deadLetterTime: refused && timeText(refused.atMs),
    deadLetterReplayed: refused && (refused.replayed ? "yes" : "no"),
    deadLetterPosition: refused && positionText(refused.position),
  };
}

export type Outcome = "created" | "recovered" | "refused" | "waiting";

export function outcomeOf({ state, registered }: Enrollment): Outcome {
  return state === "registered" ? (registered?.outcome ?? "created") : state;
}

function positionText({ topic, partition, offset }: Position): string {
  return `${topic}/${partition}/${offset}`;
}

/** 0: unknown. Beyond what a date can be, nothing is said. */
function timeText(ms: number): string | null {
  const date = new Date(ms);
  return ms === 0 || Number.isNaN(date.getTime()) ? null : date.toISOString();
}
