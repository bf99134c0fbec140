/** `repartition` as a process on a real broker: what a user types, sees, and may kill. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { after, suite, test } from "node:test";
import { obtainBroker, skipWithout } from "../../lab/testkit/broker.ts";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { jsonLines, runCli, startCli, temporaryDirectory } from "./run-cli.ts";

const broker = await obtainBroker();
after(() => (broker.ok ? broker.stop() : undefined));
const options = { skip: skipWithout(broker), timeout: 180_000 };
const brokers = broker.ok ? broker.brokers.join(",") : "";
/** Homes with 2 partitions: 1, 0, 1, 0; with 3: other ones for some. */
const tenants = ["1", "2", "3", "4"].map((digit) => `5f0c1d2e-3a4b-4c5d-8e6f-70819200000${digit}`);

function freshTopics(): Record<string, string> {
  const id = randomUUID().slice(0, 8);
  return { KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: `t${id}.`, KAFKA_GROUP_ID: `group-${id}` };
}

function eventsFile(): string {
  return tenants
    .flatMap((tenantid) =>
      Array.from({ length: 5 }, (_, index) =>
        JSON.stringify({
          specversion: "1.0",
          id: randomUUID(),
          source: "/installers/1",
          type: "connector.enrolled",
          tenantid,
          datacontenttype: "application/json",
          data: {
            connectorName: `Connector ${index}`,
            machineName: `machine-${index}`,
            enrollmentDateTime: "2026-01-01T10:00:00Z",
            lastCheckinDateTime: "2026-01-01T10:00:00Z",
            connectorVersion: "6.2406.0.1001",
          },
        }),
      ),
    )
    .join("\n");
}

suite("repartition", () => {
  test(
    "what was registered before is not made a second time after, though Graph ignores ids; killed in between",
    options,
    async (t) => {
      const { emulator, environment } = await emulatorFor(t, {
        behaviour: { idMode: "ignore", throttle: null },
      });
      const topics = freshTopics();
      const settings = {
        ...environment,
        ...topics,
        ALLOWED_TENANTS: tenants.join(","),
        TOPICS_PARTITIONS: "2",
        LOG_LEVEL: "debug",
      };
      const objects = () => Object.values(emulator.inventory()).flat().length;
      const work = async (until: RegExp, count: number) => {
        const worker = startCli(["start"], { ...settings, DATA_DIR: temporaryDirectory(t) });
        t.after(() => worker.child.kill("SIGKILL"));
        const lines = createInterface({ input: worker.child.stdout! });
        let seen = 0;
        for await (const line of lines) if (until.test(line) && ++seen === count) break;
        worker.child.kill("SIGTERM");
        const ended = await worker.ended;
        assert.equal(ended.code, 0, ended.stdout);
        return ended;
      };
      const emit = async () => {
        const emitted = await runCli(["emit", "-", "--quiet"], settings, eventsFile());
        assert.equal(emitted.code, 0, emitted.stderr);
      };
      await emit();
      await work(/record-registered/, 20);
      assert.equal(objects(), 20);

      const first = startCli(["repartition", "--partitions", "3", "--yes"], topics);
      first.child.stderr!.once("data", () => first.child.kill("SIGKILL"));
      assert.equal((await first.ended).code, null);
      const refused = await runCli(["start"], { ...settings, DATA_DIR: temporaryDirectory(t) });
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /type: connector-registrar repartition --partitions 3/);
      const doctor = await runCli(["doctor"], settings);
      assert.match(
        doctor.stdout,
        /^wrong +log .*\n +.*type: connector-registrar repartition --partitions 3$/m,
      );

      const second = await runCli(["repartition", "--partitions", "3", "--yes", "--json"], topics);
      assert.equal(second.code, 0, second.stderr);
      const { partitions, enrollments, from } = jsonLines(second.stdout)[0]!;
      assert.deepEqual([partitions, enrollments], [3, 20]);
      assert.deepEqual(from, { enrolled: 2, retry: 2, registered: 3, dlq: 2 });

      await emit();
      await work(/record-duplicate/, 20);
      assert.equal(objects(), 20);
      const third = await runCli(["repartition", "--partitions", "3", "--yes"], topics);
      assert.equal(third.code, 0, third.stderr);
      assert.match(third.stdout, /^3 partitions, and 20 enrollments in place: nothing to do$/m);
      const fewer = await runCli(["repartition", "--partitions", "2", "--yes"], topics);
      assert.equal(fewer.code, 2);
      assert.match(fewer.stderr, /Kafka can't take partitions away, and a topic has 3/);
    },
  );

  test(
    "--dry-run says what would be done and does nothing of it; records that wait refuse it, exit 1",
    options,
    async () => {
      const topics = { ...freshTopics(), TOPICS_PARTITIONS: "2" };
      const emitted = await runCli(["emit", "--tenant", tenants[0]!, "--count", "1", "--quiet"], topics);
      assert.equal(emitted.code, 0, emitted.stderr);
      const waiting = await runCli(["repartition", "--partitions", "4", "--yes"], topics);
      assert.equal(waiting.code, 1);
      assert.match(
        waiting.stderr,
        /^connector-registrar: 1 record is not settled yet.*\n {2}Stop the installers, start the workers/,
      );
      const other = { ...freshTopics(), TOPICS_PARTITIONS: "2" };
      await runCli(["tail", "--limit", "0"], other);
      const made = await runCli(["emit", "-", "--quiet"], other, "");
      assert.equal(made.code, 0, made.stderr);
      const dry = await runCli(["repartition", "--partitions", "4", "--dry-run"], other);
      assert.equal(dry.code, 0, dry.stderr);
      assert.match(dry.stdout, /connector\.registered would have 4 partitions \(2 before\)/);
      assert.match(dry.stdout, /^Nothing was changed\.$/m);
      const again = await runCli(["repartition", "--partitions", "4", "--dry-run", "--json"], other);
      assert.deepEqual(jsonLines(again.stdout)[0]!.from, { enrolled: 2, retry: 2, registered: 2, dlq: 2 });
    },
  );

  test("the embedded log, no terminal to ask on, no number: exit 2 and what to type", async () => {
    const embedded = await runCli(["repartition", "--partitions", "4", "--yes"]);
    assert.equal(embedded.code, 2);
    assert.match(embedded.stderr, /export KAFKA_BROKERS=/);
    const asking = await runCli(["repartition", "--partitions", "4"], { KAFKA_BROKERS: "127.0.0.1:1" });
    assert.equal(asking.code, 2);
    assert.match(asking.stderr, /Type --yes .*--dry-run/);
    assert.equal((await runCli(["repartition"], { KAFKA_BROKERS: "127.0.0.1:1" })).code, 2);
  });
});
