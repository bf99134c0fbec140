/**
 * A POST that was given up must not live on in the kernel, which repeats what it could not deliver for minutes, also
 * after the connection was closed. On a real kernel, over a link that drops what is sent.
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { GraphReply } from "../../src/graph-port.ts";
import { lookAgain } from "../support/look-again.ts";
import { makeTwoHosts, skipWithout, type TwoHosts } from "../support/netns.ts";

interface Message {
  readonly reply?: GraphReply;
  readonly arrived?: string;
  readonly url?: string;
  readonly caFile?: string;
}

const probe = await makeTwoHosts();
if (probe.ok) await probe.hosts.remove();
const skip = skipWithout(probe);

async function next(child: ChildProcess): Promise<Message> {
  const [message] = await once(child, "message");
  return message as Message;
}

interface Stage {
  readonly hosts: TwoHosts;
  readonly arrived: string[];
  /** A client host's process, with a connection that has served a request already. */
  startClient(): Promise<ChildProcess>;
}

async function stage(context: TestContext, secure: boolean): Promise<Stage> {
  const made = await makeTwoHosts();
  assert.ok(made.ok, JSON.stringify(made));
  const { hosts } = made;
  context.after(hosts.remove);
  const server = hosts.start("server", join(import.meta.dirname, "netns", "post-server.ts"), {
    address: hosts.serverAddress,
    secure,
  });
  const { url, caFile } = await next(server);
  const arrived: string[] = [];
  server.on("message", (message: Message) => message.arrived && arrived.push(message.arrived));
  const startClient = async () => {
    const client = hosts.start("client", join(import.meta.dirname, "netns", "post-client.ts"), {
      url,
      caFile,
    });
    await next(client);
    assert.equal((await post(client, "warm")).kind, "answer");
    return client;
  };
  return { hosts, arrived, startClient };
}

async function post(client: ChildProcess, machineName: string): Promise<GraphReply> {
  client.send({ post: machineName });
  return (await next(client)).reply!;
}

/** What a kernel still holds arrives once the link is back; one more client shows that it had the time to. */
async function arrivedInTheEnd({ hosts, arrived, startClient }: Stage): Promise<readonly string[]> {
  await hosts.join();
  while ((await hosts.unsentBytes("client")) > 0) await lookAgain();
  await startClient();
  assert.equal(arrived.at(-1), "warm");
  return arrived.slice(1, -1);
}

for (const scheme of ["http", "https"]) {
  const options = { skip, timeout: 60_000 };
  test(`${scheme}: a POST that was given up in a network outage never arrives`, options, async (context) => {
    const all = await stage(context, scheme === "https");
    const client = await all.startClient();
    await all.hosts.cut();
    const reply = await post(client, "given-up");
    assert.deepEqual(reply.kind === "silence" && [reply.reason, reply.sent], ["timeout", true]);
    assert.deepEqual(await arrivedInTheEnd(all), []);
    // Its connection is gone, another one serves.
    assert.equal((await post(client, "later")).kind, "answer");
  });

  for (const end of ["close", "exit"] as const) {
    const how = end === "close" ? "is closed" : "ends";
    test(`${scheme}: nor does one that was in flight when its process ${how}`, options, async (context) => {
      const all = await stage(context, scheme === "https");
      const client = await all.startClient();
      await all.hosts.cut();
      client.send({ post: "in-flight" });
      while ((await all.hosts.unsentBytes("client")) === 0) await lookAgain();
      const ended = once(client, end === "close" ? "message" : "exit");
      client.send(end);
      await ended;
      assert.deepEqual(await arrivedInTheEnd(all), []);
    });
  }
}
