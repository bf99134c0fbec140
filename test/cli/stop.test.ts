/** A stop has one deadline, whatever hangs, and the exit code that is documented. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { faultProfile } from "../../emulator/faults.ts";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { type Environment, jsonLines, startCli, temporaryDirectory } from "./run-cli.ts";

/** What a busy machine may take beside the limit. */
const marginMs = 2_000;

/** Takes connections and never answers. */
async function silentBroker(t: TestContext) {
  const connected = Promise.withResolvers<void>();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    connected.resolve();
  }).listen(0, "127.0.0.1");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return { KAFKA_BROKERS: `127.0.0.1:${address.port}`, connected: connected.promise };
}

async function stopped(running: ReturnType<typeof startCli>, signal: NodeJS.Signals) {
  const sentAtMs = performance.now();
  running.child.kill(signal);
  const ended = await running.ended;
  return { ...ended, tookMs: performance.now() - sentAtMs };
}

for (const [args, signal, code] of [
  [["start"], "SIGTERM", 0],
  [["start"], "SIGINT", 0],
  [["start"], "SIGHUP", 0],
  [["emit", "--count", "1"], "SIGTERM", 130],
  [["tail"], "SIGINT", 130],
  [["replay"], "SIGHUP", 130],
  [["reconcile"], "SIGTERM", 130],
  [["audit"], "SIGINT", 130],
] as const) {
  test(`${args[0]} before a silent broker: ${signal} ends it immediately, exit ${code}`, async (t) => {
    const { environment } = await emulatorFor(t);
    const { KAFKA_BROKERS, connected } = await silentBroker(t);
    const DATA_DIR = temporaryDirectory(t);
    const running = startCli(args, { ...environment, KAFKA_BROKERS, DATA_DIR });
    t.after(() => running.child.kill("SIGKILL"));
    await connected;
    const ended = await stopped(running, signal);
    assert.equal(ended.code, code, ended.stderr);
    assert.ok(ended.tookMs < marginMs, `${ended.tookMs} ms`);
  });
}

test("a stop that waits for Graph takes as long as SHUTDOWN_TIMEOUT_MS in all, the last commit included", async (t) => {
  const { emulator, environment } = await emulatorFor(t);
  emulator.setFaults({ ...faultProfile("none"), latency: { kind: "fixed", ms: 60_000 } });
  const DATA_DIR = temporaryDirectory(t);
  const emit = startCli(["emit", "--count", "1", "--quiet"], { ...environment, DATA_DIR });
  assert.equal((await emit.ended).code, 0);
  const worker = startCli(["start"], {
    ...environment,
    DATA_DIR,
    LOG_LEVEL: "debug",
    SHUTDOWN_TIMEOUT_MS: "2000",
  });
  t.after(() => worker.child.kill("SIGKILL"));
  await worker.line(/records-read/);
  const { code, stdout, tookMs } = await stopped(worker, "SIGTERM");
  assert.equal(code, 0);
  assert.ok(tookMs < 2_000 + marginMs, `${tookMs} ms`);
  assert.ok(jsonLines(stdout).some(({ msg }) => msg === "stopped"));
});

const interruptsUrl = new URL("../../src/cli/interrupts.ts", import.meta.url).href;

/** A process that says "ready" and then hangs, with what `body` does about signals. */
function hanging(t: TestContext, body: string, args: readonly string[] = []) {
  const script = `const { onInterrupt } = await import(${JSON.stringify(interruptsUrl)});
    ${body}
    setInterval(() => {}, 1000); console.log("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, "--", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  const ready = new Promise<void>((resolve) =>
    child.stdout.on("data", (bytes) => {
      output += bytes;
      if (output.includes("ready")) resolve();
    }),
  );
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ready, ended, output: () => output };
}

test("a command that hangs is cut off at its limit, with its own exit code and last words", async (t) => {
  const hung = hanging(
    t,
    'onInterrupt("", { withinMs: 300, exitCode: 7, onCutOff: () => console.log("cut off") });',
  );
  await hung.ready;
  hung.child.kill("SIGHUP");
  assert.equal(await hung.ended, 7);
  assert.match(hung.output(), /cut off/);
});

test("before a command has taken over a signal ends the process immediately: `start` with 0, others with 130", async (t) => {
  for (const [first, code] of [
    ["start", 0],
    ["tail", 130],
  ] as const) {
    const early = hanging(t, `process.argv[2] = ${JSON.stringify(first)};`);
    await early.ready;
    early.child.kill("SIGTERM");
    assert.equal(await early.ended, code);
  }
});

test("a second signal ends it before the limit", async (t) => {
  const hung = hanging(t, 'onInterrupt("first", { withinMs: 60_000 });');
  await hung.ready;
  hung.child.kill("SIGTERM");
  await new Promise((resolve) => hung.child.stderr.once("data", resolve));
  hung.child.kill("SIGINT");
  assert.equal(await hung.ended, 130);
});

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const quoted = (word: string) => (word === "exec" ? word : `'${word}'`);

/** A command on a terminal of its own. */
function onTerminal(t: TestContext, args: readonly string[], environment: Environment) {
  // With exec: a shell in between would take the terminal's signal too, and end with a code of its own.
  const line = ["exec", process.execPath, main, ...args].map(quoted).join(" ");
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  const shown = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => pattern.test(output) && resolve();
      child.stdout.on("data", look);
      look();
    });
  child.stdout.on("data", (bytes) => {
    output += bytes;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, shown, ended, output: () => output };
}

test("Ctrl-C in `emit -` on a terminal ends it; each line is emitted as it is typed", async (t) => {
  const data = {
    connectorName: "c",
    machineName: "m",
    enrollmentDateTime: "2026-01-01T00:00:00Z",
    lastCheckinDateTime: "2026-01-01T00:00:00Z",
    connectorVersion: "1",
  };
  const emit = onTerminal(t, ["emit", "-", "--tenant", "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5"], {
    DATA_DIR: temporaryDirectory(t),
  });
  await emit.shown(/Ctrl-D ends the input/);
  emit.child.stdin.write(`${JSON.stringify(data)}\n`);
  // At once, not when five hundred are together.
  await emit.shown(/emitted \S+ for tenant/);
  emit.child.stdin.write("\u0003");
  assert.equal(await emit.ended, 130, emit.output());
  assert.match(emit.output(), /1 emitted, 0 refused/);
});

test("`start` on a terminal speaks to people, LOG_FORMAT=json to programs", async (t) => {
  const { environment } = await emulatorFor(t);
  for (const [format, first] of [
    ["auto", /^\d\d:\d\d:\d\d INFO {2}health and metrics {2}url=http:/m],
    ["json", /^\{"level":"info",.*"msg":"health and metrics"\}/m],
  ] as const) {
    const worker = onTerminal(t, ["start", "--http-port", "0"], {
      ...environment,
      DATA_DIR: temporaryDirectory(t),
      LOG_FORMAT: format,
    });
    await worker.shown(first);
    await worker.shown(/working on 8 partitions/);
    worker.child.stdin.write("\u0003");
    assert.equal(await worker.ended, 0, worker.output());
  }
});
