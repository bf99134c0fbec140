/**
 * `POST /events`: enrollments in, by the CloudEvents HTTP binding.
 *
 * 1. Nothing of a request is stored unless all of it is right.
 * 2. A success is answered after the log has confirmed, never before.
 * 3. What the index knows as registered is not stored again: the answer is its Graph id.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { enrolledEvent } from "../../domain/enrollment.ts";
import { positionId } from "../../domain/origin.ts";
import type { Enrollment } from "../../index/enrollment-index.ts";
import type { App } from "../app-type.ts";
import { limits } from "../http/limits.ts";
import { preferredWaitS } from "../http/prefer.ts";
import { type Failure, failures, problemBody } from "../http/problem.ts";
import { sendFailure } from "../http/send.ts";
import {
  answerOf,
  batchAnswer,
  type EventAnswer,
  eventAnswer,
  refusalOf,
  refusedFailure,
  statusOf,
  statusPath,
} from "../intake/answer.ts";
import { batchContentType, bindingHeaders, type HeaderValues, readBinding } from "../intake/binding.ts";
import { type AcceptedEvent, judge } from "../intake/judge.ts";
import { type OutcomeWatch, watchOutcome } from "../intake/outcome-watch.ts";
import { tracedRecord } from "../intake/traced-record.ts";
import type { RouteContext } from "../parts.ts";

const success = Type.Union([eventAnswer, batchAnswer]);
const problems = Object.fromEntries(
  [400, 401, 403, 413, 415, 422, 429, 503].map((status) => [status, problemBody]),
);
const schema = {
  summary: "Takes enrollments in: one event, or a batch.",
  body: {
    content: {
      "application/cloudevents+json": { schema: enrolledEvent },
      [batchContentType]: { schema: Type.Array(enrolledEvent, { maxItems: limits.batchEvents }) },
      "application/json": { schema: enrolledEvent.properties.data },
    },
  },
  response: { 200: success, 201: success, 202: success, ...problems },
};

/** One event of a request on its way. */
interface Item {
  readonly event: AcceptedEvent;
  readonly before: Enrollment | null;
  readonly watch: OutcomeWatch | null;
}

export function eventRoutes(app: App, context: RouteContext): void {
  // decode() checks the body, by the same schema, and says more: the codes and pointers of the dead letters.
  const options = { schema, validatorCompiler: () => () => true, config: { traced: true } };
  app.post("/events", options, async (request, reply) => {
    if (request.principal!.role === "operator") return sendFailure(reply, failures.operatorToken());
    const headers = bindingHeaders(request.raw.rawHeaders);
    const taken = takeIn(request, headers, context);
    if ("status" in taken) return sendFailure(reply, taken);
    const waitS = context.index() === null ? null : preferredWaitS(headers.prefer);
    const items = itemsOf(taken.events, waitS ?? 0, context);
    const stop = () => {
      for (const { watch } of items ?? []) watch?.stop();
    };
    const waits = items?.some(({ watch }) => watch !== null) ?? false;
    if (items === null || (waits && !context.waits.enter(stop))) {
      stop();
      context.metrics.met("waiters");
      return sendFailure(reply, failures.tooManyWaiters());
    }
    try {
      const stored = await store(items, request, context);
      if ("status" in stored) return sendFailure(reply, stored);
      if (waitS !== null) reply.header("preference-applied", `wait=${waitS}`);
      const after = waits ? await outcomes(items, { stored, waitS: waitS ?? 0, reply, stop }, context) : [];
      const answers = items.map(({ event, before }, at) => answerOf(event, before, after[at] ?? null));
      return answer(reply, { mode: taken.mode, fresh: stored.size }, answers);
    } finally {
      stop();
      context.waits.leave(stop);
    }
  });
}

interface Taken {
  readonly mode: "one" | "batch";
  readonly events: readonly AcceptedEvent[];
}

/** Everything that may be refused before anything is stored. */
function takeIn(request: FastifyRequest, headers: HeaderValues, context: RouteContext): Taken | Failure {
  const { metrics, buckets, eventsPerSecond, isTenantAllowed } = context;
  const log = context.log();
  if (log === null) return failures.logNotOpen();
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const binding = readBinding(headers, body);
  if (!binding.ok) {
    if (binding.failure.code === "batch-too-long") metrics.met("batch-events");
    return binding.failure;
  }
  const { mode, events } = binding;
  const principal = request.principal!;
  const waitMs = buckets.take(principal.name, events.length);
  if (waitMs > 0) {
    metrics.met("rate");
    return failures.rateExceeded(Math.ceil(waitMs / 1_000), eventsPerSecond);
  }
  const { partitionCount } = log;
  const verdicts = events.map((event) => judge(event, { principal, isTenantAllowed, partitionCount }));
  const accepted = verdicts.filter((verdict) => verdict.ok);
  metrics.events("refused", verdicts.length - accepted.length);
  return refusalOf(mode, verdicts) ?? { mode, events: accepted };
}

/** Null: it can't wait for the outcomes, since too many do. */
function itemsOf(
  events: readonly AcceptedEvent[],
  waitS: number,
  { index }: RouteContext,
): readonly Item[] | null {
  const known = index();
  const items: Item[] = [];
  for (const event of events) {
    const before = known?.find(event.key) ?? null;
    const waits = waitS > 0 && known !== null && before?.state !== "registered";
    const watch = waits ? watchOutcome(known, event.key) : null;
    if (waits && watch === null) {
      for (const item of items) item.watch?.stop();
      return null;
    }
    items.push({ event, before, watch });
  }
  return items;
}

/** Where each event was stored that was not registered before, by its place; null where the log does not say. */
async function store(
  items: readonly Item[],
  { span, headers }: Pick<FastifyRequest, "span" | "headers">,
  { queue, recent, metrics, clock, note }: RouteContext,
): Promise<ReadonlyMap<number, string | null> | Failure> {
  const fresh = [...items.entries()].filter(([, { before }]) => before?.state !== "registered");
  metrics.events("known", items.length - fresh.length);
  if (fresh.length === 0) return new Map();
  const fromMs = clock.nowMs();
  const traceparent = span?.sending(fresh.length) ?? null;
  const stored = await queue.append(fresh.map(([, { event }]) => tracedRecord(event, traceparent, headers)));
  span?.sent(stored.ok);
  if (!stored.ok) {
    metrics.events("not-stored", fresh.length);
    if (stored.full) metrics.met("pending-events");
    else
      note({
        level: "error",
        event: "append-failed",
        message: `The log did not confirm events: ${stored.reason}`,
      });
    return stored.full ? failures.overloaded() : failures.logSilent();
  }
  metrics.appended(clock.nowMs() - fromMs);
  metrics.events("stored", fresh.length);
  for (const [, { event }] of fresh) recent.note(event);
  return new Map(
    fresh.map(([at, { event }], nth) => {
      const offset = stored.offsets[nth] ?? null;
      const { partition } = event.record;
      return [at, offset === null ? null : positionId({ topic: "enrolled", partition, offset })];
    }),
  );
}

interface Wait {
  readonly stored: ReadonlyMap<number, string | null>;
  readonly waitS: number;
  readonly reply: FastifyReply;
  readonly stop: () => void;
}

/** Until all are settled, the time is up, the client has gone, or the service stops. */
async function outcomes(
  items: readonly Item[],
  { stored, waitS, reply, stop }: Wait,
  { clock }: RouteContext,
): Promise<readonly (Enrollment | null)[]> {
  const cancel = clock.after(waitS * 1_000, stop);
  reply.raw.once("close", stop);
  try {
    return await Promise.all(items.map(({ watch }, at) => watch?.settled(stored.get(at) ?? null) ?? null));
  } finally {
    cancel();
    reply.raw.off("close", stop);
  }
}

function answer(
  reply: FastifyReply,
  { mode, fresh }: { readonly mode: "one" | "batch"; readonly fresh: number },
  answers: readonly EventAnswer[],
): FastifyReply {
  const [first] = answers as [EventAnswer];
  if (mode === "one" && first.state === "refused") return sendFailure(reply, refusedFailure(first));
  if (mode === "one") reply.header("location", statusPath(first.key));
  const body = mode === "one" ? first : { events: [...answers] };
  return reply.code(statusOf(answers, fresh)).type("application/json").send(body);
}
