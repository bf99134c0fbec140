/**
 * Server-sent events that announce changes on the pages. One check a second serves all listeners; without listeners there is
 * none. An event carries no data: the page is fetched again, in the same way as at first.
 */
import type { FastifyReply } from "fastify";
import type { Clock } from "../../ports.ts";
import type { Waits } from "../parts.ts";
import { consoleLimits } from "./limits.ts";

export interface Live {
  /** False: as many listen as may. */
  listen(reply: FastifyReply): boolean;
}

export interface LiveParts {
  readonly clock: Clock;
  readonly waits: Waits;
  /** What the pages show, in short: another text, other pages. */
  readonly state: () => Promise<string>;
}

export function createLive({ clock, waits, state }: LiveParts): Live {
  const listeners = new Set<FastifyReply>();
  let isLooking = false;
  let last: string | null = null;
  let pulseAtMs = 0;

  async function look(): Promise<void> {
    const now = await state().catch(() => last ?? "");
    const hasChanged = last !== null && now !== last;
    last = now;
    if (hasChanged) tell(`event: change\ndata:\n\n`);
    else if (clock.nowMs() >= pulseAtMs) tell(":\n\n");
    if (listeners.size > 0) clock.after(consoleLimits.lookIntervalMs, () => void look());
    else {
      isLooking = false;
      last = null;
    }
  }

  function tell(text: string): void {
    pulseAtMs = clock.nowMs() + consoleLimits.pulseIntervalMs;
    for (const { raw } of listeners) {
      // One that does not read is not waited for: the next word says the same.
      if (raw.writableLength < 1_024) raw.write(text);
    }
  }

  return {
    listen(reply) {
      const { raw } = reply;
      const end = () => void raw.end();
      if (listeners.size >= consoleLimits.streams || !waits.enter(end)) return false;
      reply.hijack();
      raw.writeHead(200, { ...textHeaders(reply), "content-type": "text/event-stream" });
      raw.write("retry: 2000\n\n");
      listeners.add(reply);
      raw.once("close", () => {
        listeners.delete(reply);
        waits.leave(end);
      });
      if (!isLooking) {
        isLooking = true;
        void look();
      }
      return true;
    },
  };
}

function textHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}
