/**
 * A TCP relay whose way can be cut in one direction, as a network does it: nothing is closed, bytes just don't arrive.
 *
 * 1. What was sent while its direction was cut arrives once it is whole again, in order.
 * 2. The end of a connection travels with its direction: cut off, the other side doesn't hear of it. What was sent and
 *    then closed still arrives, as from a kernel that continues to send; what was sent and then reset never does.
 * 3. A connection that is opened while a direction is cut gets through only if its client still waits then.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** Forth: from who connects to who is connected to. */
export type Direction = "forth" | "back";

export interface Relay {
  readonly port: number;
  cut(direction: Direction): void;
  repair(): void;
  close(): Promise<void>;
}

const host = "127.0.0.1";
/** What one direction of a connection holds before its source has to wait. */
const heldMax = 1024 * 1024;

export async function openRelay(targetPort: number): Promise<Relay> {
  const cut = new Set<Direction>();
  const links = new Set<Link>();
  // Half open: each direction ends by itself.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const link = createLink(client, { targetPort, cut }, () => links.delete(link));
    links.add(link);
    link.go();
  });
  const port = await listen(server);
  return {
    port,
    cut: (direction) => void cut.add(direction),
    repair() {
      cut.clear();
      for (const link of [...links]) link.go();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const link of links) link.destroy();
      await closed;
    },
  };
}

interface Link {
  /** Whatever the cuts allow. */
  go(): void;
  destroy(): void;
}

interface Target {
  readonly targetPort: number;
  /** As of now. */
  readonly cut: ReadonlySet<Direction>;
}

function createLink(client: Socket, { targetPort, cut }: Target, onOver: () => void): Link {
  const forth = createWay(client, () => cut.has("forth"));
  let back: Way | null = null;
  let target: Socket | null = null;
  const look = () => {
    if (client.destroyed && (target === null || target.destroyed)) onOver();
  };
  client.once("close", look);
  return {
    go() {
      if (target === null && cut.size === 0) {
        if (forth.isEnded()) return void client.destroy(); // 3
        target = connect({ host, port: targetPort, allowHalfOpen: true, noDelay: true });
        target.once("close", look);
        back = createWay(target, () => cut.has("back"));
        back.into(client);
        forth.into(target);
      }
      forth.go();
      back?.go();
    },
    destroy() {
      client.destroy();
      target?.destroy();
    },
  };
}

interface Way {
  into(sink: Socket): void;
  go(): void;
  isEnded(): boolean;
}

/** One direction of one connection: what comes from the source goes into the sink, now or later. */
function createWay(source: Socket, isCut: () => boolean): Way {
  let held: Buffer[] = [];
  let end: "none" | "closed" | "reset" = "none";
  let sink: Socket | null = null;

  function go(): void {
    if (sink !== null && !isCut()) {
      for (const chunk of held) if (sink.writable) sink.write(chunk);
      held = [];
      if (end === "closed" && sink.writable) sink.end();
      if (end === "reset") sink.resetAndDestroy();
    }
    const waiting = held.reduce((sum, { length }) => sum + length, sink?.writableLength ?? 0);
    if (waiting > heldMax) source.pause();
    else source.resume();
  }

  source.on("data", (chunk) => {
    held.push(chunk);
    go();
  });
  source.on("end", () => {
    if (end === "none") end = "closed";
    go();
  });
  source.on("error", () => {
    end = "reset";
    held = []; // 2
    go();
  });
  return {
    into(socket) {
      sink = socket;
      sink.on("drain", go);
    },
    go,
    isEnded: () => end !== "none",
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address.port);
    });
  });
}
