/** A failure as the answer. */
import type { FastifyReply } from "fastify";
import { type Failure, problemContentType, problemText } from "./problem.ts";

export function sendFailure(reply: FastifyReply, failure: Failure): FastifyReply {
  if (failure.headers !== undefined) reply.headers(failure.headers);
  return reply.code(failure.status).type(problemContentType).serializer(String).send(problemText(failure));
}
