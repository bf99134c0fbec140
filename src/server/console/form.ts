/** What a form sent. */
import type { FastifyRequest } from "fastify";

export function formOf({ body, headers }: FastifyRequest): URLSearchParams {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers["content-type"] ?? "");
  return new URLSearchParams(isForm && body instanceof Uint8Array ? Buffer.from(body).toString() : "");
}
