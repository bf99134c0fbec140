/** A stop while the broker is frozen: its connections stay, and nothing is answered. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { skipWithout, startOwnBroker } from "../../lab/testkit/broker.ts";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { startCli, temporaryDirectory } from "./run-cli.ts";

/** Clients are led through this port, so that all of them fall silent at the same time. */
const port = await freePort();
const broker = await startOwnBroker({ "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}` });
after(() => (broker.ok ? broker.stop() : undefined));

const sockets = new Set<Socket>();
let frozen = false;
const forwarder = createServer((client) => {
  const target = Number((broker.ok ? broker.brokers[0]! : ":0").split(":")[1]);
  const upstream = connect(target, "127.0.0.1");
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(from);
    from.on("error", () => {});
    from.on("close", () => to.destroy());
    from.on("data", (bytes) => frozen || to.write(bytes));
  }
});
await new Promise<void>((resolve) => forwarder.listen(port, "127.0.0.1", resolve));
after(() => {
  for (const socket of sockets) socket.destroy();
  forwarder.close();
});

const limitMs = 3_000;
const marginMs = 2_000;

for (const [args, ready, code] of [
  [["start"], /partition 1 taken up/, 0],
  [["tail", "--from", "start"], /enrollmentDateTime/, 130],
  [["emit", "-"], /emitted/, 130],
] as const) {
  test(`${args[0]} on a broker that froze ends within SHUTDOWN_TIMEOUT_MS, exit ${code}`, {
    skip: skipWithout(broker),
  }, async (t) => {
    const { environment } = await emulatorFor(t);
    frozen = false;
    const settings = {
      ...environment,
      KAFKA_BROKERS: `127.0.0.1:${port}`,
      KAFKA_TOPIC_PREFIX: `t${randomUUID().slice(0, 8)}.`,
      TOPICS_PARTITIONS: "2",
      SHUTDOWN_TIMEOUT_MS: String(limitMs),
      DATA_DIR: temporaryDirectory(t),
    };
    const emitted = await startCli(["emit", "--count", "1"], settings).ended;
    assert.equal(emitted.code, 0, emitted.stderr);
    const enrollment = {
      connectorName: "c",
      machineName: "m",
      enrollmentDateTime: "2026-01-01T00:00:00Z",
      lastCheckinDateTime: "2026-01-01T00:00:00Z",
      connectorVersion: "1",
    };
    const where = args[0] === "tail" ? [...args.slice(0, 1), "enrolled"] : args;
    const running = startCli(where, settings, {
      input: `${JSON.stringify(enrollment)}\n`,
      keepInputOpen: true,
    });
    t.after(() => running.child.kill("SIGKILL"));
    await running.line(ready);
    frozen = true;
    running.child.stdin?.write(`${JSON.stringify({ ...enrollment, machineName: "n" })}\n`);
    const sentAtMs = performance.now();
    running.child.kill("SIGTERM");
    const ended = await running.ended;
    const tookMs = performance.now() - sentAtMs;
    assert.equal(ended.code, code, ended.stderr);
    assert.ok(tookMs < limitMs + marginMs, `${tookMs} ms`);
  });
}
