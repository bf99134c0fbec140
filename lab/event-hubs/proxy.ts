/**
 * Stands before one Apache Kafka broker and behaves as an Event Hubs namespace does, as far as that is documented or was seen.
 *
 * 1. Requests of one connection are forwarded in order, and are answered in order.
 * 2. What the quirks do not touch passes unchanged.
 */
import { createServer, type Socket } from "node:net";
import { createCommitPace } from "./commit-pace.ts";
import { openPassage } from "./passage.ts";
import { eventHubsQuirks, type Quirks } from "./quirks.ts";
import type { ProxyCounts, ProxyParts, Shared } from "./shared.ts";

export interface EventHubsProxy {
  /** host:port */
  readonly address: string;
  readonly counts: Readonly<ProxyCounts>;
  close(): Promise<void>;
}

const host = "127.0.0.1";

/** `broker`: host:port. */
export async function openEventHubsProxy(
  broker: string,
  parts: ProxyParts,
  changes: Partial<Quirks> = {},
): Promise<EventHubsProxy> {
  const quirks = { ...eventHubsQuirks, ...changes };
  const counts: ProxyCounts = {
    ...{ connections: 0, closedForSize: 0, closedIdle: 0, sessionsEnded: 0, commitsDelayed: 0 },
    ...{ unknownProducers: 0, configsRefused: 0, unlisted: 0, largestProduceBytes: 0 },
  };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true });
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address.port);
    });
  });
  const [brokerHost = "", brokerPort = ""] = broker.split(":");
  const shared: Shared = {
    ...{ ...parts, quirks, counts, pace: createCommitPace(quirks.commitsPerSecond), own: { host, port } },
    broker: { host: brokerHost, port: Number(brokerPort) },
  };
  server.on("connection", (client: Socket) => {
    counts.connections += 1;
    const { target } = openPassage(client, shared);
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
  });
  return {
    address: `${host}:${port}`,
    counts,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
