/** /livez, /readyz and /metrics of the service. Reasons and figures are for those who may see all tenants. */
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import type { App } from "../app-type.ts";
import { authenticate } from "../auth/authenticate.ts";
import { failures } from "../http/problem.ts";
import { sendFailure } from "../http/send.ts";
import type { RouteContext } from "../parts.ts";

const ready = Type.Object({
  ready: Type.Boolean(),
  notReady: Type.Optional(Type.Array(Type.String(), { description: "Why; with a token for all tenants." })),
});

export function healthRoutes(app: App, context: RouteContext): void {
  const { doors, readiness } = context;

  async function seesAll(request: FastifyRequest): Promise<boolean> {
    const known = await authenticate(doors, request.headers.authorization);
    return known.ok && known.principal.tenants === "all";
  }

  const live = { schema: { summary: "The process answers.", security: [] }, config: { open: true } };
  app.get("/livez", live, async () => ({ live: true }));

  const readySchema = {
    summary: "Log and index can be used.",
    security: [],
    response: { 200: ready, 503: ready },
  };
  app.get("/readyz", { schema: readySchema, config: { open: true } }, async (request, reply) => {
    const now = readiness();
    reply.code(now.ready ? 200 : 503);
    return (await seesAll(request))
      ? { ready: now.ready, notReady: [...now.notReady] }
      : { ready: now.ready };
  });

  const metricsSchema = {
    summary: "Metrics for Prometheus; with a token for all tenants.",
    produces: ["text/plain"],
  };
  app.get("/metrics", { schema: metricsSchema, config: { notJson: true } }, async (request, reply) => {
    if (request.principal?.tenants !== "all") return sendFailure(reply, failures.notFound("/metrics"));
    return reply
      .type(context.metrics.contentType)
      .serializer(String)
      .send(await context.metricsText());
  });
}
