/** What every route of the console is given. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RouteContext } from "../parts.ts";
import type { Exports } from "./exports.ts";
import type { Gate } from "./gate.ts";
import type { Page } from "./layout.ts";
import type { ReplayRuns } from "./replay-runs.ts";

export interface PageFailure {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

export interface ConsoleRoutes {
  readonly context: RouteContext;
  readonly gate: Gate;
  readonly runs: ReplayRuns;
  readonly exports: Exports;
  readonly show: (request: FastifyRequest, reply: FastifyReply, page: Page) => FastifyReply;
  readonly fail: (request: FastifyRequest, reply: FastifyReply, failure: PageFailure) => FastifyReply;
}
