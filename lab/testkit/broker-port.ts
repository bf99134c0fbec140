/** Free ports. */
import { createServer } from "node:net";

const from = 15_000;
const to = 32_000;
const given = new Set<number>();

/**
 * A free TCP port on the loopback address. It is below those that systems give to outgoing connections: so none of
 * them takes it before its server listens, or while that is down.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < to - from; tries++) {
    const port = from + Math.floor(Math.random() * (to - from));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${from} to ${to} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
