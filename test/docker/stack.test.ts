import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import {
  baseImage,
  docker,
  dockerText,
  findEngine,
  kafkaImage,
  prometheusImage,
  root,
  skipWithout,
} from "./engine.ts";
import { buildImage } from "./image.ts";
import { difference, enrollments, namesOf, nothing, tenants, type Watcher, watchRegistered } from "./load.ts";
import { askPrometheus, inventory, logLine, oneOff, type Stack, startStack } from "./stack.ts";

const skip = skipWithout(await findEngine([baseImage, kafkaImage]));
const skipPrometheus = skip || skipWithout(await findEngine([prometheusImage]));
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
        images: { product: await buildImage("product"), emulator: await buildImage("emulator") },
        files: ["test/docker/chaos.compose.yml"],
        services: ["registrar", ...(skipPrometheus ? [] : ["prometheus"])],
        environment: {
          TEST_TENANTS: tenants.join(","),
          AZURE_TENANT_ID: tenants[0]!,
          EMULATOR_THROTTLE: "0",
          EMULATOR_LATENCY_MS: "100-200",
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
  /** All of the batch is registered; else the error shows what the workers and the broker said last. */
  const allRegistered = async (batch: string, timeoutMs?: number) => {
    try {
      await watcher.reached(batch, batchSize, timeoutMs);
    } catch (error) {
      const { stdout } = await stack.compose(["logs", "--no-color", "--tail", "20", "registrar", "kafka"]);
      throw new Error(`${(error as Error).message}\n${stdout.slice(-8000)}`);
    }
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
    await allRegistered("kill");
    await dockerText(["start", victim]);
  });

  test("a worker is frozen past its session and thawed: all is registered", {
    timeout: 240_000,
  }, async () => {
    const [frozen, other] = await workers();
    const emitting = emit("freeze", batchSize);
    await watcher.reached("freeze", middle);
    const since = new Date();
    // By signal: `docker pause` needs the cgroup freezer, which on a busy machine may give up ("unable to freeze"). Not to
    // process 1, which only hands some signals on, but to the worker below it.
    const signal = (name: string) =>
      dockerText(["exec", frozen, "sh", "-c", `kill -s ${name} $(cat /proc/1/task/1/children)`]);
    await signal("STOP");
    try {
      await logLine(other, allPartitions, since);
    } finally {
      await signal("CONT");
    }
    await emitting;
    await allRegistered("freeze");
  });

  test("the broker restarts in the middle of a load: all is registered", { timeout: 240_000 }, async () => {
    await workers();
    const emitting = emit("restart", batchSize);
    await watcher.reached("restart", middle);
    const [kafka] = await stack.containers("kafka");
    await dockerText(["restart", "-t", "20", kafka!]);
    await emitting;
    await allRegistered("restart", 200_000);
  });

  test("after all that each is registered once, in the log and in Graph, and no dead letter exists", {
    timeout: 120_000,
  }, async () => {
    const expected = [
      "single-0001",
      ...["freeze", "kill", "restart"].flatMap((batch) =>
        Array.from({ length: batchSize }, (_, index) => `${batch}-${String(index).padStart(4, "0")}`),
      ),
    ];
    assert.deepEqual(watcher.contradictions, []);
    const registered = [...watcher.registered.values()];
    assert.deepEqual(difference(expected, namesOf(registered)), nothing);
    const objects = await inventory(stack);
    assert.deepEqual(difference(expected, namesOf(objects)), nothing);
    const graphIds = registered.map(({ graphId }) => graphId);
    assert.deepEqual(
      difference(
        graphIds,
        objects.map(({ id }) => id),
      ),
      nothing,
    );
    const dlq = await stack.compose(["run", "--rm", "-T", "tail", "dlq", "--no-follow"]);
    assert.equal(dlq.code, 0, dlq.stderr);
    assert.equal(dlq.stdout, "");
  });

  test("Prometheus answers every query of the dashboard", {
    skip: skipPrometheus,
    timeout: 60_000,
  }, async () => {
    const path = join(root, "docker/grafana/dashboards/connector-registrar.json");
    const dashboard = JSON.parse(readFileSync(path, "utf8"));
    const queries = dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) => panel.targets);
    const silent: string[] = [];
    for (const { expr } of queries) {
      const { status, error, data } = await askPrometheus(stack, expr);
      assert.equal(status, "success", `${expr}: ${error}`);
      if (data.result.length === 0) silent.push(expr);
    }
    // These have no series before the first failure of their kind.
    const onFailure = /dead_letters|attempts_failed|log_failures/;
    assert.deepEqual(
      silent.filter((query) => !onFailure.test(query)),
      [],
    );
    const replicas = await askPrometheus(stack, 'count(up{job="connector-registrar"} == 1)');
    assert.equal(replicas.data.result[0]?.value[1], "2");
  });

  test("a wrong secret: doctor and the worker say what to set, and end with 2", {
    timeout: 120_000,
  }, async () => {
    // An installation of its own, so that the stack's workers have no part in it.
    const apart = ["-e", "KAFKA_TOPIC_PREFIX=apart.", "-e", "KAFKA_GROUP_ID=apart"];
    const machine = ["--machine", "apart-1", "--connector", "Site B"];
    const emitted = await stack.compose(["run", "--rm", "-T", ...apart, "emit", ...machine]);
    assert.equal(emitted.code, 0, emitted.stderr);
    const settings = [
      ...apart,
      "-e",
      "AZURE_CLIENT_SECRET=stale-value",
      "-e",
      `ALLOWED_TENANTS=${tenants[0]}`,
    ];
    const doctor = await oneOff(stack, settings, ["doctor"]);
    assert.equal(doctor.code, 2);
    assert.match(doctor.stdout, /^wrong .*AADSTS7000215.*\n +Set AZURE_CLIENT_SECRET to /m);
    const worker = await oneOff(stack, settings, ["start"]);
    assert.equal(worker.code, 2, worker.stdout);
    assert.match(worker.stderr, /AADSTS7000215.*\n +Set AZURE_CLIENT_SECRET to /);
    assert.doesNotMatch(doctor.stdout + worker.stdout + worker.stderr, /stale-value/);
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
