import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { openLinks, ownListener, workerListener } from "../../../lab/chaos/links.ts";
import { openRelay } from "../../../lab/chaos/relay.ts";

interface End {
  readonly socket: Socket;
  text(): string;
  /** Once so much text has come. */
  has(text: string): Promise<void>;
}

function endOf(socket: Socket): End {
  let text = "";
  socket.setEncoding("utf8").on("data", (more: string) => {
    text += more;
  });
  socket.on("error", () => {});
  const has = async (wanted: string) => {
    while (!text.includes(wanted)) await once(socket, "data");
  };
  return { socket, text: () => text, has };
}

/** A server behind a relay; `open` makes a connection through it, `taken` is the server's side of the next one. */
async function behindRelay(t: TestContext) {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const relay = await openRelay(portOf(server));
  const sockets: Socket[] = [];
  const arrivals: End[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    arrivals.push(endOf(socket));
    server.emit("taken");
  });
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await relay.close();
  });
  const open = async () => {
    const socket = connect({ host: "127.0.0.1", port: relay.port, allowHalfOpen: true });
    sockets.push(socket);
    await once(socket, "connect");
    return endOf(socket);
  };
  const taken = async (index = 0) => {
    while (arrivals.length <= index) await once(server, "taken");
    return arrivals[index]!;
  };
  return { relay, open, taken, arrivals };
}

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

/** By the time that this is over, all that came before on this machine's sockets was noticed. */
async function roundTrip(): Promise<void> {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(portOf(server), "127.0.0.1");
  client.end("x");
  client.resume();
  await once(client, "end");
  server.close();
}

test("a whole relay carries both directions, and each one's end by itself", async (t) => {
  const { open, taken } = await behindRelay(t);
  const client = await open();
  client.socket.end("question");
  const target = await taken();
  await target.has("question");
  if (!target.socket.readableEnded) await once(target.socket, "end");
  target.socket.end("answer");
  await client.has("answer");
  await once(client.socket, "close");
});

for (const direction of ["forth", "back"] as const) {
  test(`cut ${direction}: the other direction still works, and what was sent arrives in order after the cut`, async (t) => {
    const { relay, open, taken } = await behindRelay(t);
    const client = await open();
    client.socket.write("1");
    const target = await taken();
    await target.has("1");
    const [from, to] = direction === "forth" ? [client, target] : [target, client];
    const before = to.text();
    relay.cut(direction);
    from.socket.write("2");
    await roundTrip();
    from.socket.write("3");
    to.socket.write("meanwhile");
    await from.has("meanwhile");
    assert.equal(to.text(), before);
    relay.repair();
    await to.has("23");
    to.socket.write("after");
    await from.has("after");
  });
}

/** A connection on which "1" has arrived; what its client sends from now on does not. */
async function cutAfterOne(t: TestContext) {
  const { relay, open, taken } = await behindRelay(t);
  const client = await open();
  client.socket.write("1");
  const target = await taken();
  await target.has("1");
  relay.cut("forth");
  return { relay, client, target };
}

test("sent and closed while cut: it still arrives, and then the end", async (t) => {
  const { relay, client, target } = await cutAfterOne(t);
  client.socket.end("2");
  await roundTrip();
  assert.equal(target.text(), "1");
  assert.equal(target.socket.readableEnded, false);
  relay.repair();
  await once(target.socket, "end");
  assert.equal(target.text(), "12");
});

test("sent and reset while cut: it never arrives, and the other side is reset once the way is whole", async (t) => {
  const { relay, client, target } = await cutAfterOne(t);
  client.socket.write("2");
  await roundTrip();
  client.socket.resetAndDestroy();
  await roundTrip();
  assert.equal(target.socket.destroyed, false);
  const closed = new Promise((resolve) => target.socket.once("close", resolve));
  relay.repair();
  await closed;
  assert.equal(target.text(), "1");
});

test("opened while cut: it gets through once the way is whole, unless its client has gone", async (t) => {
  const { relay, open, taken, arrivals } = await behindRelay(t);
  relay.cut("back");
  const gone = await open();
  gone.socket.write("gone");
  const waits = await open();
  waits.socket.write("waits");
  gone.socket.end();
  await roundTrip();
  assert.equal(arrivals.length, 0);
  relay.repair();
  const target = await taken();
  await target.has("waits");
  assert.equal(arrivals.length, 1);
});

test("no server listens behind the relay: the client is reset", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  const relay = await openRelay(port);
  t.after(() => relay.close());
  const client = connect(relay.port, "127.0.0.1");
  client.write("1");
  const [error] = await once(client, "error");
  assert.equal(error.code, "ECONNRESET");
});

test("a cut silences its own ways, each in its own direction, and no other", async (t) => {
  let arrived = "";
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.setEncoding("utf8").on("data", (text: string) => {
      arrived += text;
      socket.write(text);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const links = openLinks();
  const ways = new Map<string, End>();
  t.after(async () => {
    for (const { socket } of ways.values()) socket.destroy();
    server.close();
    await links.close();
  });
  const port = portOf(server);
  const reach = async (name: string, through: number) => {
    const socket = connect(through, "127.0.0.1");
    ways.set(name, endOf(socket));
    await once(socket, "connect");
  };
  for (const broker of [1, 2]) {
    for (const listener of [workerListener(0), workerListener(1), "INTERNAL"])
      await reach(`${listener} ${broker}`, await links.front({ listener, broker, from: null }, port));
    const from = 3 - broker;
    await reach(
      `CONTROLLER ${from}>${broker}`,
      await links.front({ listener: "CONTROLLER", broker, from }, port),
    );
  }
  assert.equal(await links.front({ listener: ownListener, broker: 1, from: null }, port), port);
  const say = (text: string) => {
    for (const [name, { socket }] of ways) socket.write(`[${name} ${text}]`);
  };
  const allHave = async (text: string) => {
    for (const [name, end] of ways) await end.has(`[${name} ${text}]`);
  };
  /** The ways on which nothing gets there, and those on which nothing comes back. */
  const silenced = async (cut: () => () => void, text: string) => {
    const repair = cut();
    say(text);
    for (let trip = 0; trip < 4; trip++) await roundTrip();
    const names = [...ways.keys()];
    const forth = names.filter((name) => !arrived.includes(`[${name} ${text}]`));
    const back = names.filter((name) => !ways.get(name)!.text().includes(`[${name} ${text}]`));
    repair();
    await allHave(text);
    return { forth, back: back.filter((name) => !forth.includes(name)) };
  };
  say("first");
  await allHave("first");
  const { cutWorker, cutBroker, cutFollowers } = links;
  assert.deepEqual(await silenced(() => cutWorker(1, 2, "forth"), "a"), { forth: ["WORKER2 2"], back: [] });
  assert.deepEqual(await silenced(() => cutWorker(0, 1, "back"), "b"), { forth: [], back: ["WORKER1 1"] });
  assert.deepEqual(await silenced(() => cutBroker(1, "out"), "c"), {
    forth: ["CONTROLLER 1>2"],
    back: ["INTERNAL 1", "CONTROLLER 2>1"],
  });
  assert.deepEqual(await silenced(() => cutBroker(1, "in"), "d"), {
    forth: ["INTERNAL 1", "CONTROLLER 2>1"],
    back: ["CONTROLLER 1>2"],
  });
  assert.deepEqual(await silenced(() => cutFollowers(2), "e"), { forth: ["INTERNAL 2"], back: [] });
});
