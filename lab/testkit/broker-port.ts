/** Free ports. */
import { createServer } from "node:net";

/** A TCP port on the loopback address that nobody listens on just now. */
export function freePort(): Promise<number> {
  return listenOnce(0);
}

const steadyFrom = 15_000;
const steadyTo = 32_000;
const given = new Set<number>();

/**
 * Like freePort, but below the ports that systems give to outgoing connections: so none of them takes it while its
 * server is down.
 */
export async function steadyPort(): Promise<number> {
  for (;;) {
    const port = steadyFrom + Math.floor(Math.random() * (steadyTo - steadyFrom));
    if (given.has(port)) continue;
    given.add(port);
    const found = await listenOnce(port).catch(() => null);
    if (found !== null) return found;
  }
}

function listenOnce(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
