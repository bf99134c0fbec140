/** The pages by their addresses. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../app-type.ts";
import { auditRoutes } from "./audit-routes.ts";
import { createTyped } from "./fields.ts";
import { formOf } from "./form.ts";
import { enrollmentPage, recordPlace } from "./pages/enrollment.ts";
import { enrollmentsPage } from "./pages/enrollments.ts";
import { lettersPage } from "./pages/letters.ts";
import { overviewPage } from "./pages/overview.ts";
import { replayPage, replayPath, replaysPage } from "./pages/replays.ts";
import { tenantsPage } from "./pages/tenants.ts";
import { readRecord } from "./record.ts";
import type { ReplayFilter } from "./replay-runs.ts";
import type { ConsoleRoutes } from "./route-parts.ts";

export function pageRoutes(scope: App, routes: ConsoleRoutes): void {
  const { context, show } = routes;
  const { clock, index, tenantsServed, workers } = context;

  scope.get("/", async (request, reply) => {
    const { isBlind } = workers;
    const state = { index: index(), workers: await workers.look(), isBlind, nowMs: clock.wallMs() };
    return show(request, reply, overviewPage(state));
  });
  scope.get("/enrollments", (request, reply) =>
    show(request, reply, enrollmentsPage(index(), parametersOf(request), clock.wallMs())),
  );
  scope.get("/enrollment", (request, reply) => showEnrollment(request, reply, routes));
  scope.get("/letters", (request, reply) =>
    show(request, reply, lettersPage(index(), parametersOf(request))),
  );
  scope.get("/tenants", async (request, reply) => {
    const state = { index: index(), served: tenantsServed() };
    return show(
      request,
      reply,
      tenantsPage({ ...state, workers: await workers.look() }, parametersOf(request)),
    );
  });
  replayRoutes(scope, routes);
  auditRoutes(scope, routes);
}

async function showEnrollment(
  request: FastifyRequest,
  reply: FastifyReply,
  { context, show, fail }: ConsoleRoutes,
): Promise<FastifyReply> {
  const { clock, index, log, whyTenantWaits, workers } = context;
  const id = parametersOf(request).get("id") ?? "";
  const enrollment = index()?.find(id) ?? null;
  if (enrollment === null) return fail(request, reply, unknownEnrollment);
  const opened = log();
  const at = recordPlace(enrollment);
  // What keeps a page up to date has no use for the record: that does not change.
  const isWanted = request.headers["x-live"] === undefined;
  const record =
    !isWanted || at === null || opened === null ? null : { at, found: await readRecord(opened, at, clock) };
  const { tenantId, state } = enrollment;
  const isWaiting = tenantId !== null && state === "waiting";
  const told = isWaiting ? (await workers.look()).flatMap(({ blocked }) => blocked ?? []) : [];
  const words = told.find((each) => each.tenantId === tenantId)?.detail ?? null;
  const why = isWaiting ? whyTenantWaits(tenantId) : null;
  return show(
    request,
    reply,
    enrollmentPage({ enrollment, record, whyTenantWaits: why, graphsWords: words }),
  );
}

function replayRoutes(scope: App, { context, runs, show, fail }: ConsoleRoutes): void {
  const { clock } = context;

  scope.get("/replays", (request, reply) => show(request, reply, replaysPage(runs.latest())));

  scope.post("/replays", (request, reply) => {
    const filter = replayFilterOf(formOf(request), clock.wallMs());
    if (typeof filter === "string") return fail(request, reply, { ...nothingChosen, text: filter });
    const run = runs.begin(filter, request.principal!.name);
    return run === null ? fail(request, reply, busy) : reply.redirect(replayPath(run.id), 303);
  });

  scope.get("/replays/:id", (request, reply) => {
    const run = runs.find((request.params as { id: string }).id);
    return run === null ? fail(request, reply, unknownReplay) : show(request, reply, replayPage(run));
  });

  scope.post("/replays/:id/confirm", (request, reply) => {
    const { id } = request.params as { id: string };
    const run = runs.find(id);
    if (run === null) return fail(request, reply, unknownReplay);
    const isConfirmed = runs.confirm(id, request.principal!.name);
    // Twice the same click: the page says how far it is.
    const isUnderWay = run.state === "sending" || run.state === "sent";
    return isConfirmed || isUnderWay || run.isStale
      ? reply.redirect(replayPath(id), 303)
      : fail(request, reply, busy);
  });
}

/** A text: what is wrong with it. */
function replayFilterOf(form: URLSearchParams, nowMs: number): ReplayFilter | string {
  const ids = form.getAll("id").filter((id) => id !== "");
  const all = {
    codes: null,
    tenantIds: null,
    fromMs: Number.NEGATIVE_INFINITY,
    toMs: Number.POSITIVE_INFINITY,
  };
  // Only those that were marked; what was replayed already is still left out.
  if (ids.length > 0) return { ...all, ids: new Set(ids), again: false };
  if (form.get("by") !== "reason") return "Nothing is marked. Go back, mark dead letters, and try again.";
  const typed = createTyped(form);
  const tenant = typed.tenant("tenant");
  const code = typed.text("code");
  const sinceMs = typed.timeMs("since", nowMs);
  const untilMs = typed.timeMs("until", nowMs);
  const [wrong] = typed.errors;
  if (wrong !== undefined) return `The field “${wrong[0]}” can't be read. Go back. ${wrong[1]}`;
  return {
    ids: null,
    codes: code === "" ? null : new Set([code]),
    tenantIds: tenant === null ? null : new Set([tenant]),
    fromMs: sinceMs ?? all.fromMs,
    toMs: untilMs ?? all.toMs,
    again: form.get("again") === "yes",
  };
}

function parametersOf(request: FastifyRequest): URLSearchParams {
  return new URL(request.url, "http://here").searchParams;
}

// biome-ignore format: reads as a table
const unknownEnrollment = { status: 404, title: "Not found", text: "The index knows no such enrollment. Search for it, or look again once the index has caught up." };
// biome-ignore format: reads as a table
const unknownReplay = { status: 404, title: "Not found", text: "There is no such replay: the service remembers the last ones alone, and none from before it was started." };
// biome-ignore format: reads as a table
const nothingChosen = { status: 400, title: "Nothing to replay" };
// biome-ignore format: reads as a table
const busy = { status: 409, title: "Another replay is under way", text: "One replay at a time. Wait until it has ended (Dead letters, Replays), then try again. If there is none, the log is not open yet." };
