import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { baseImage, docker, dockerText, findEngine, kafkaImage, skipWithout } from "./engine.ts";
import { buildImage } from "./image.ts";
import { enrollments, tenants, type Watcher, watchRegistered } from "./load.ts";
import { logLine, type Stack, startStack } from "./stack.ts";

const skip = skipWithout(await findEngine([baseImage, kafkaImage]));
const batchSize = 160;
/** So many registered: the middle of a batch. */
const middle = 30;
const allPartitions = /"event":"session-started","partitions":\[0,1,2,3,4,5,6,7\]/;

suite("the stack of docker-compose.yml", { skip, timeout: 1_200_000 }, () => {
  let stack: Stack;
  let watcher: Watcher;

  before(
    async () => {
      stack = await startStack({
        image: await buildImage(),
        files: ["test/docker/chaos.compose.yml"],
        environment: {
          TEST_TENANTS: tenants.join(","),
          AZURE_TENANT_ID: tenants[0]!,
          SIMULATOR_THROTTLE: "0",
          SIMULATOR_LATENCY_MS: "100-200",
        },
      });
      watcher = await watchRegistered(stack.kafkaPort);
    },
    { timeout: 900_000 },
  );

  after(
    async () => {
      await watcher?.close();
      await stack?.down();
    },
    { timeout: 120_000 },
  );

  const emit = async (batch: string, count: number) => {
    const call = { input: enrollments(batch, count) };
    const { code, stderr } = await stack.compose(["run", "--rm", "-T", "emit", "-", "--quiet"], call);
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`^${count} emitted, 0 refused$`, "m"));
  };
  /** Ids of both workers, once both are ready. */
  const workers = async (): Promise<[string, string]> => {
    const { code, stderr } = await stack.compose([
      "up",
      "--no-build",
      "--no-recreate",
      "--wait",
      "registrar",
    ]);
    assert.equal(code, 0, stderr);
    const ids = await stack.containers("registrar");
    assert.equal(ids.length, 2);
    return [ids[0]!, ids[1]!];
  };

  test("an event that the emit service publishes is registered and in Graph's inventory", {
    timeout: 120_000,
  }, async () => {
    const flags = [
      "--machine",
      "single-0001",
      "--connector",
      "Site A",
      "--enrolled-at",
      "2026-02-03T04:05:06.1234567+01:00",
    ];
    const emitted = await stack.compose(["run", "--rm", "-T", "emit", ...flags]);
    assert.equal(emitted.code, 0, emitted.stderr);
    assert.match(
      emitted.stdout,
      new RegExp(`^emitted [0-9a-f-]{36} for tenant ${tenants[0]} to partition \\d$`, "m"),
    );
    const tailed = await stack.compose(["run", "--rm", "-T", "tail", "--limit", "1"], { timeoutMs: 60_000 });
    assert.equal(tailed.code, 0, tailed.stderr);
    const { key, value } = JSON.parse(tailed.stdout);
    const event = JSON.parse(value);
    assert.equal(event.id, key);
    assert.equal(event.data.outcome, "created");
    assert.deepEqual(await inventory(stack), [
      {
        id: event.data.id,
        connectorName: "Site A",
        machineName: "single-0001",
        enrollmentDateTime: "2026-02-03T04:05:06.1234567+01:00",
        lastCheckinDateTime: "2026-02-03T04:05:06.1234567+01:00",
        connectorVersion: "6.2406.0.1001",
      },
    ]);
  });

  test("doctor finds nothing wrong", { timeout: 60_000 }, async () => {
    const { code, stdout } = await stack.compose([
      "exec",
      "-T",
      "registrar",
      "connector-registrar",
      "doctor",
    ]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ok +log +Kafka at kafka:19092: topics with 8 partitions/m);
    assert.equal([...stdout.matchAll(/^ok +graph +tenant/gm)].length, tenants.length);
  });

  test("a worker is killed in the middle of a load: all is registered", { timeout: 240_000 }, async () => {
    const [victim] = await workers();
    const emitting = emit("kill", batchSize);
    await watcher.reached("kill", middle);
    await dockerText(["kill", "-s", "KILL", victim]);
    await emitting;
    await watcher.reached("kill", batchSize);
    await dockerText(["start", victim]);
  });

  test("a worker is frozen past its session and thawed: all is registered", {
    timeout: 240_000,
  }, async () => {
    const [frozen, other] = await workers();
    const emitting = emit("freeze", batchSize);
    await watcher.reached("freeze", middle);
    const since = new Date();
    await dockerText(["pause", frozen]);
    try {
      await logLine(other, allPartitions, since);
    } finally {
      await dockerText(["unpause", frozen]);
    }
    await emitting;
    await watcher.reached("freeze", batchSize);
  });

  test("the broker restarts in the middle of a load: all is registered", { timeout: 240_000 }, async () => {
    await workers();
    const emitting = emit("restart", batchSize);
    await watcher.reached("restart", middle);
    const [kafka] = await stack.containers("kafka");
    await dockerText(["restart", "-t", "20", kafka!]);
    await emitting;
    await watcher.reached("restart", batchSize, 200_000);
  });

  test("after all that each is registered once, in the log and in Graph, and no dead letter exists", {
    timeout: 120_000,
  }, async () => {
    const expected = [
      "single-0001",
      ...["freeze", "kill", "restart"].flatMap((batch) =>
        Array.from({ length: batchSize }, (_, index) => `${batch}-${String(index).padStart(4, "0")}`),
      ),
    ].sort();
    assert.deepEqual(watcher.contradictions, []);
    const registered = [...watcher.registered.values()];
    assert.deepEqual(registered.map(({ machineName }) => machineName).sort(), expected);
    const objects = await inventory(stack);
    assert.deepEqual(objects.map(({ machineName }) => machineName).sort(), expected);
    assert.deepEqual(objects.map(({ id }) => id).sort(), registered.map(({ graphId }) => graphId).sort());
    const dlq = await stack.compose(["run", "--rm", "-T", "tail", "dlq", "--no-follow"]);
    assert.equal(dlq.code, 0, dlq.stderr);
    assert.equal(dlq.stdout, "");
  });

  test("a wrong secret: one line says so and what to check, and doctor ends with 2", {
    timeout: 60_000,
  }, async () => {
    const wrongSecret = ["-e", "AZURE_CLIENT_SECRET=stale-value", "-e", `ALLOWED_TENANTS=${tenants[0]}`];
    const { code, stdout } = await oneOff(stack, wrongSecret, ["doctor"]);
    assert.equal(code, 2);
    const line = stdout.split("\n").find((each) => each.startsWith("wrong"));
    assert.match(line ?? "", /AADSTS7000215.*check AZURE_CLIENT_SECRET/);
    assert.ok(!stdout.includes("stale-value"));
  });

  test("a topic with other settings: the worker says what to type and ends with 2", {
    timeout: 90_000,
  }, async () => {
    const topics = "/opt/kafka/bin/kafka-topics.sh";
    const create = ["--create", "--topic", "odd.connector.registered", "--partitions", "8"];
    const broker = ["--bootstrap-server", "kafka:19092"];
    const created = await stack.compose(["exec", "-T", "kafka", topics, ...broker, ...create]);
    assert.equal(created.code, 0, created.stderr);
    const { code, stderr } = await oneOff(stack, ["-e", "KAFKA_TOPIC_PREFIX=odd."], ["start"]);
    assert.equal(code, 2);
    assert.match(stderr, /odd\.connector\.registered has cleanup\.policy=delete instead of compact/);
    assert.match(stderr, /kafka-configs\.sh .*--add-config cleanup\.policy=compact/);
  });

  test("a broker that can't be reached: the worker says so, and keeps trying", {
    timeout: 90_000,
  }, async () => {
    const since = new Date();
    const noBroker = ["-e", "KAFKA_BROKERS=kafka:1"];
    const started = await stack.compose(["run", "-d", "--no-deps", ...noBroker, "registrar", "start"]);
    assert.equal(started.code, 0, started.stderr);
    const id = started.stdout.trim();
    try {
      const line = JSON.parse(await logLine(id, /"retryInMs":2000/, since));
      assert.match(line.msg, /Kafka at kafka:1 can't be reached.* Trying again\./);
      assert.match(line.fix, /KAFKA_BROKERS/);
      const health = await docker(["exec", id, "connector-registrar", "health"]);
      assert.equal(health.code, 1);
      assert.match(health.stdout, /log: Kafka at kafka:1 can't be reached/);
      await dockerText(["stop", "-t", "20", id]);
      assert.equal(await dockerText(["inspect", "--format", "{{.State.ExitCode}}", id]), "0");
    } finally {
      await docker(["rm", "-f", "-v", id]);
    }
  });
});

async function inventory(stack: Stack): Promise<{ id: string; machineName: string }[]> {
  const response = await fetch(`${stack.simulatorUrl}/_control/inventory`);
  assert.equal(response.status, 200);
  const byTenant = (await response.json()) as Record<string, { id: string; machineName: string }[]>;
  return Object.values(byTenant).flat();
}

function oneOff(stack: Stack, settings: readonly string[], words: readonly string[]) {
  return stack.compose(["run", "--rm", "-T", "--no-deps", ...settings, "registrar", ...words], {
    timeoutMs: 60_000,
  });
}
