/** What is given up while the network drops packets must not arrive once it is back. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { generate } from "selfsigned";
import { lookAgain } from "../../../support/look-again.ts";
import { makeTwoHosts, skipWithout } from "../../../support/netns.ts";

const made = await makeTwoHosts();
after(() => (made.ok ? made.hosts.remove() : undefined));
const skip = skipWithout(made);
const brokerFile = fileURLToPath(new URL("../netns/recording-broker.ts", import.meta.url));
const clientFile = fileURLToPath(new URL("../netns/log-client.ts", import.meta.url));

async function next<T>(child: ChildProcess): Promise<T> {
  const [message] = await once(child, "message");
  return message as T;
}

async function ask<T>(child: ChildProcess, question: object | string): Promise<T> {
  child.send(question);
  return next<T>(child);
}

async function pair(overTls: boolean) {
  assert.ok(made.ok);
  const { hosts } = made;
  const pem = overTls ? await generate([{ name: "commonName", value: "broker" }], { keyType: "ec" }) : null;
  const tls = pem === null ? null : { key: pem.private, cert: pem.cert };
  const server = hosts.start("server", brokerFile, { host: hosts.serverAddress, tls });
  const { port } = await next<{ port: number }>(server);
  const client = hosts.start("client", clientFile, {
    broker: `${hosts.serverAddress}:${port}`,
    ca: pem?.cert ?? null,
  });
  await next(client);
  const changes = async () => (await ask<{ changes: string[] }>(server, "changes")).changes;
  /** Whatever the kernels still had to deliver has been. */
  const delivered = async () => {
    while ((await hosts.unsentBytes("client")) > 0) await lookAgain();
  };
  return { hosts, client, changes, delivered };
}

for (const overTls of [false, true]) {
  const way = overTls ? "over TLS" : "over plain TCP";

  test(`an append and a commit that were given up never arrive, ${way}`, {
    skip,
    timeout: 120_000,
  }, async () => {
    const { hosts, client, changes, delivered } = await pair(overTls);
    assert.deepEqual(await ask(client, { append: "in time" }), { result: { ok: true } });
    assert.deepEqual(await ask(client, { commit: "committed in time" }), { result: "committed" });
    await hosts.cut();
    const { result } = await ask<{ result: { ok: boolean } }>(client, { append: "given up" });
    assert.equal(result.ok, false);
    assert.deepEqual(await ask(client, { commit: "commit given up" }), { result: "unknown" });
    await hosts.join();
    await delivered();
    const stored = await changes();
    assert.equal(stored.length, 2);
    assert.ok(stored[0]!.includes("in time") && stored[1]!.includes("committed in time"));
  });

  test(`what a process began before it ended never arrives, ${way}`, { skip, timeout: 120_000 }, async () => {
    const { hosts, client, changes, delivered } = await pair(overTls);
    assert.deepEqual(await ask(client, { append: "in time" }), { result: { ok: true } });
    await hosts.cut();
    client.send({ begin: "of a process that ended" });
    while ((await hosts.unsentBytes("client")) === 0) await lookAgain();
    client.send("exit");
    await once(client, "exit");
    await hosts.join();
    await delivered();
    assert.equal((await changes()).length, 1);
  });
}
