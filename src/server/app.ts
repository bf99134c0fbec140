/**
 * The service's requests: what holds for all of them, before and after their route.
 *
 * 1. A body is read only after its sender is known, and is not a page of another site.
 * 2. Every answer other than success is a problem (RFC 9457), also where no route was found.
 * 3. No token, no body and no header of a request gets into a log line.
 */

import type { RequestListener, Server } from "node:http";
import swagger from "@fastify/swagger";
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import { type FastifyError, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { RequestSpan } from "../trace-port.ts";
import type { App } from "./app-type.ts";
import { type Authentication, authenticate, isOpen } from "./auth/authenticate.ts";
import { acceptsJson } from "./http/accept.ts";
import { headFailure } from "./http/head-check.ts";
import { answerBrokenRequest } from "./http/http-server.ts";
import { knownPaths } from "./http/known-paths.ts";
import { limits } from "./http/limits.ts";
import { originFailure } from "./http/origin-check.ts";
import { type Failure, failures } from "./http/problem.ts";
import { sendFailure } from "./http/send.ts";
import type { ServiceContext } from "./parts.ts";
import { consoleRoutes } from "./routes/console.ts";
import { enrollmentRoutes } from "./routes/enrollments.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { openapiRoutes } from "./routes/openapi.ts";

/** A route is a file here: a function that adds it to the app. */
const routes = [eventRoutes, enrollmentRoutes, healthRoutes, openapiRoutes, consoleRoutes] as const;

export async function createApp(
  context: ServiceContext,
  serverFactory: (listener: RequestListener) => Server,
): Promise<App> {
  const app = createBareApp(context, serverFactory);
  const paths = knownPaths();
  app.addHook("onRoute", paths.note);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "connector-registrar", version: context.version, description: "Enrollments by HTTP." },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
      security: [{ bearer: [] }],
    },
  });
  for (const add of routes) add(app, { ...context, methodsOf: paths.methodsOf });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0]!;
    const allow = paths.methodsOf(path);
    if (allow === null) return sendFailure(reply, failures.notFound(path));
    if (request.method === "OPTIONS") return reply.code(204).header("allow", allow).send();
    return sendFailure(reply, failures.methodNotAllowed(allow));
  });
  await app.ready();
  return app;
}

function createBareApp(context: ServiceContext, serverFactory: (listener: RequestListener) => Server) {
  const { metrics, note } = context;
  const app = fastify({
    logger: false,
    serverFactory,
    bodyLimit: limits.bodyBytes,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, metrics.met),
    frameworkErrors: (_, __, reply) =>
      void sendFailure((reply as FastifyReply).headers(strictHeaders), failures.malformed()),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  // Schemas are for the page and for types: an answer is built to them, and what a schema left out would get lost.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.decorateRequest("principal", null);
  app.decorateRequest("span", null);
  // These two call back, since every request would have to wait for their promises.
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(isTls(request) ? tlsHeaders : strictHeaders);
    request.span = spanOf(request, context);
    const go = (failure: Failure | null) => (failure === null ? done() : void sendFailure(reply, failure));
    const failure = entryFailure(request, context);
    if (failure instanceof Promise) failure.then(go, done);
    else go(failure);
  });
  // biome-ignore lint/complexity/useMaxParams: fastify's hook
  app.addHook("onSend", (_, reply, payload, done) => {
    // A connection that is kept would delay the stop.
    if (context.waits.stopped) reply.header("connection", "close");
    done(null, payload);
  });
  app.addHook("onResponse", (request, reply, done) => {
    metrics.request(request.routeOptions.url ?? "none", reply.statusCode, reply.elapsedTime);
    request.span?.ended(reply.statusCode);
    done();
  });
  app.setErrorHandler((error: FastifyError, _, reply) => {
    const failure = failureOf(error);
    if (failure.status === 413) metrics.met("body-bytes");
    if (failure.status >= 500)
      note({
        level: "error",
        event: "request-failed",
        message: `A request failed: ${error.stack ?? error.message}`,
      });
    return sendFailure(reply, failure);
  });
  return app;
}

function spanOf(request: FastifyRequest, { traces }: ServiceContext): RequestSpan | null {
  if (traces === undefined) return null;
  const { config, url = "" } = request.routeOptions;
  if (config.traced !== true) return null;
  const scheme = isTls(request) ? "https" : "http";
  const { traceparent } = request.headers;
  return traces.began({ method: request.method, route: url, scheme, traceparent });
}

/** Why the request gets no further; null: it does, and who sent it is known. */
function entryFailure(
  request: FastifyRequest,
  { doors, metrics, waits }: ServiceContext,
): Failure | null | Promise<Failure | null> {
  const { config } = request.routeOptions;
  const head = headFailure(request.raw);
  if (head !== null) return head;
  const origin = originFailure(request.headers, request.method, isOpen(doors));
  if (origin !== null) return origin;
  if (request.is404) return null;
  if (config.notJson !== true && !acceptsJson(request.headers.accept)) return failures.notAcceptable();
  if (config.open === true) return null;
  if (waits.stopped) return failures.stopping();
  const asked = authenticate(doors, request.headers.authorization);
  const enter = (known: Authentication) => {
    if (known.ok) request.principal = known.principal;
    else metrics.unauthorised(known.failure.code);
    return known.ok ? null : known.failure;
  };
  return asked instanceof Promise ? asked.then(enter) : enter(asked);
}

function failureOf(error: FastifyError): Failure {
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") return failures.bodyTooLarge();
  if (error.code === "FST_ERR_CTP_INVALID_CONTENT_LENGTH") return failures.bodyUnreadable();
  if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") return failures.mediaType("");
  if (error.validation !== undefined) return failures.keyMalformed();
  // The client went away while it sent its body.
  if (error.code === "ECONNRESET" || error.code === "ECONNABORTED") return failures.bodyUnreadable();
  return (error.statusCode ?? 500) < 500 ? failures.malformed() : failures.internal();
}

const strictHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
const tlsHeaders = { ...strictHeaders, "strict-transport-security": "max-age=31536000" };

function isTls({ raw }: FastifyRequest): boolean {
  return "encrypted" in raw.socket;
}
