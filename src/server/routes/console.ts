/**
 * The console: pages for operators, below /console.
 *
 * 1. Only who may (gate.ts) gets past signing in, and what changes something must come from a page of this service.
 * 2. Pages load their own style sheet and script, and nothing else; nothing in them is inline.
 * 3. A failure is a page too: what is wrong, and what to do.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../app-type.ts";
import { localPrincipal } from "../auth/principal.ts";
import { scriptText } from "../console/assets/script.ts";
import { iconText, styleText } from "../console/assets/style.ts";
import { createExports } from "../console/exports.ts";
import { createGate, isFromOurPages } from "../console/gate.ts";
import { html } from "../console/html.ts";
import { type Page, pageText } from "../console/layout.ts";
import { createLive } from "../console/live.ts";
import { pageRoutes } from "../console/page-routes.ts";
import { createReplayRuns } from "../console/replay-runs.ts";
import type { ConsoleRoutes, PageFailure } from "../console/route-parts.ts";
import { createSessions } from "../console/sessions.ts";
import { signInRoutes } from "../console/sign-in-routes.ts";
import type { RouteContext } from "../parts.ts";

const headers = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  // Without a referrer a browser sends no Origin that says anything.
  "referrer-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};
const kept = { "cache-control": "public, max-age=31536000, immutable" };
/** For those too who have not signed in. */
const forAll = ["/console/style.css", "/console/script.js", "/console/icon.svg", "/console/sign-in"];

export function consoleRoutes(app: App, context: RouteContext): void {
  const { clock, doors, isEncrypted, isTenantAllowed, log, note, version, waits } = context;
  const gate = createGate({ doors, sessions: createSessions(clock), isEncrypted });
  const runs = createReplayRuns({ clock, log, waits, isTenantAllowed, note });
  const exports = createExports({ clock, write: () => context.writeExport(), version, note });
  const revision = () => runs.revision() + exports.revision();
  const live = createLive({ clock, waits, state: () => stateOf(context, revision()) });

  /** Sends it as HTML. */
  const show = (request: FastifyRequest, reply: FastifyReply, page: Page): FastifyReply => {
    const who = gate.operatorOf(request);
    const operator = who && { name: who.name, canSignOut: who !== localPrincipal };
    const progress = context.index()?.progress() ?? null;
    const text = pageText(page, { version, operator, progress, nowMs: clock.wallMs() });
    return reply.type("text/html; charset=utf-8").serializer(String).send(text);
  };
  const fail = (request: FastifyRequest, reply: FastifyReply, failure: PageFailure): FastifyReply =>
    show(request, reply.code(failure.status), failurePage(failure));

  app.get("/", { config: { open: true, notJson: true }, schema: { hide: true } }, (_, reply) =>
    reply.redirect("/console", 303),
  );
  app.register(
    async (scope) => {
      scope.addHook("onRoute", (route) => {
        route.config = { ...route.config, open: true, notJson: true };
        route.schema = { ...route.schema, hide: true };
      });
      scope.addHook("onRequest", async (request, reply) => {
        reply.headers(headers);
        const path = request.url.split("?", 1)[0]!;
        if (waits.stopped) return fail(request, reply, stopping);
        if (request.method === "POST" && !isFromOurPages(request)) return fail(request, reply, notOurs); // 1
        if (forAll.includes(path)) return;
        request.principal = gate.operatorOf(request);
        if (request.principal !== null) return;
        if (request.method === "GET" && path !== "/console/live")
          return reply.redirect(`/console/sign-in?to=${encodeURIComponent(request.url)}`, 303);
        return fail(request, reply, signedOut);
      });
      scope.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
        const isOurs = (error.statusCode ?? 500) >= 500;
        if (!isOurs) return fail(request, reply, malformed);
        note({
          level: "error",
          event: "page-failed",
          message: `A page failed: ${error.stack ?? error.message}`,
        });
        return fail(request, reply, internal);
      });
      scope.setNotFoundHandler((request, reply) => {
        const allow = context.methodsOf(request.url.split("?", 1)[0]!);
        if (allow === null) return fail(request, reply, notFound);
        reply.header("allow", allow);
        if (request.method === "OPTIONS") return reply.code(204).send();
        return fail(request, reply, otherMethod(allow));
      });
      const asset = (type: string, text: string) => (_: FastifyRequest, reply: FastifyReply) =>
        reply.headers(kept).type(type).serializer(String).send(text);
      scope.get("/style.css", asset("text/css; charset=utf-8", styleText));
      scope.get("/script.js", asset("text/javascript; charset=utf-8", scriptText));
      scope.get("/icon.svg", asset("image/svg+xml", iconText));
      scope.get("/live", { exposeHeadRoute: false }, (request, reply) =>
        live.listen(reply) ? reply : fail(request, reply, tooManyStreams),
      );
      const routes: ConsoleRoutes = { context, gate, runs, exports, show, fail };
      signInRoutes(scope as App, routes);
      pageRoutes(scope as App, routes);
    },
    { prefix: "/console" },
  );
  app.addHook("onClose", async () => {
    await Promise.all([runs.ended(), exports.close()]);
  });
}

/** What the pages show, in short. */
async function stateOf({ index, workers }: RouteContext, revision: number): Promise<string> {
  const opened = index();
  const known =
    opened === null ? null : [opened.counts(), opened.progress().trouble, opened.progress().caughtUp];
  const minute = opened?.minutes(1) ?? [];
  return JSON.stringify([known, minute, await workers.look(), revision]);
}

function failurePage({ title, text }: PageFailure): Page {
  return {
    title,
    place: null,
    body: html`<p>${text}</p><p><a href="/console">Overview</a></p>`,
  };
}

// biome-ignore format: reads as a table
const notFound = { status: 404, title: "Not found", text: "There is no such page. The links at the top lead to those that there are." };
// biome-ignore format: reads as a table
const otherMethod = (allow: string) => ({ status: 405, title: "Not done here", text: `Only ${allow} are answered at this address.` });
// biome-ignore format: reads as a table
const notOurs = { status: 403, title: "Refused", text: "The request does not come from a page of this console. Open the page here and try again; behind a proxy, let it pass the Host and Origin headers on as they came." };
const signedOut = {
  status: 401,
  title: "Signed out",
  text: "Your session is over. Sign in again and repeat what you did: nothing was done.",
};
const stopping = {
  status: 503,
  title: "Stopping",
  text: "The service is being stopped. Try again in a moment.",
};
const malformed = {
  status: 400,
  title: "Not understood",
  text: "The request can't be read. Go back, and try again.",
};
const internal = {
  status: 500,
  title: "Failed",
  text: "The service failed at this page. Look into its log, and report what it says.",
};
const tooManyStreams = {
  status: 503,
  title: "Too many",
  text: "As many pages are kept up to date as may be. This one is not; load it again to see what is new.",
};
