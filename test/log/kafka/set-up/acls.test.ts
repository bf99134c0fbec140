/** The rights that docs/OPERATING.md lists, on a broker that asks for them: enough with all; without some it continues with a note. */
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import kafkajs from "kafkajs";
import { skipWithout, startOwnBroker } from "../../../../lab/testkit/broker.ts";
import { freePort } from "../../../../lab/testkit/broker-port.ts";
import { systemClock } from "../../../../src/clock.ts";
import {
  type KafkaSettings,
  type OpenKafkaResult,
  openKafkaLog,
} from "../../../../src/log/kafka/kafka-log.ts";
import { createTopicAdmin } from "../../../../src/log/kafka/set-up/topic-admin.ts";
import type { Session } from "../../../../src/ports.ts";
import { decodeMetadata, encodeMetadata } from "../../../../src/registrar/ownership/commit-metadata.ts";
import { repartition } from "../../../../src/repartition/run.ts";
import { findingsOf } from "../../../cli/doctor-finding.ts";
import { lookAgain } from "../../../support/look-again.ts";
import { type Acl, aclsOf, everything } from "./acl-words.ts";

// Not all that this module exports can be imported by name.
const { AclOperationTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = kafkajs;

const password = "of-a-test";
const users = ["connector-registrar", "installer"];

const [open, sasl, controller] = await Promise.all(
  Array.from({ length: 3 }, async () => `127.0.0.1:${await freePort()}`),
);
const logins = users.map((user) => `user_${user}="${password}"`).join(" ");
const broker = await startOwnBroker({
  listeners: `PLAINTEXT://${open},SASL_PLAIN://${sasl},CONTROLLER://${controller}`,
  "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_PLAIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
  "controller.quorum.voters": `1@${controller}`,
  "sasl.enabled.mechanisms": "PLAIN",
  "listener.name.sasl_plain.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required ${logins};`,
  "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  // A client without a login administers: the broker itself, and these tests.
  "super.users": "User:ANONYMOUS",
});
after(() => (broker.ok ? broker.stop() : undefined));
const options = { skip: skipWithout(broker), timeout: 60_000 };

const worker: KafkaSettings = {
  brokers: [sasl!],
  clientId: "test",
  groupId: "connector-registrar",
  topicPrefix: "",
  partitionCount: 2,
  replicationFactor: 1,
  createTopics: false,
  sessionTimeoutMs: 10_000,
  maxPartitionFetchBytes: 131_072,
  publishTimeoutMs: 10_000,
  tenantBlockedMaxMs: 86_400_000,
  attemptedThroughOf: (metadata) => decodeMetadata(metadata)?.attemptedThrough ?? null,
  kafkajs: { sasl: { mechanism: "plain", username: "connector-registrar", password } },
};

async function asAdmin<T>(
  use: (admin: ReturnType<InstanceType<typeof Kafka>["admin"]>) => Promise<T>,
): Promise<T> {
  const admin = new Kafka({ brokers: [open!], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

async function allowOnly(acls: readonly Acl[]): Promise<void> {
  await asAdmin(async (admin) => {
    await admin.deleteAcls({ filters: [everything] });
    if (acls.length > 0) await admin.createAcls({ acl: [...acls] });
  });
}

/** The authorizer learns of a change a moment after it was acknowledged. */
async function eventually(changes: Partial<KafkaSettings>, isIt: (opened: OpenKafkaResult) => boolean) {
  for (;;) {
    const opened = await openKafkaLog({ ...worker, ...changes }, systemClock);
    if (isIt(opened)) return opened;
    if (opened.ok) await opened.log.close();
    await lookAgain();
  }
}

const codesOf = (opened: OpenKafkaResult) => (opened.ok ? opened.warnings.map(({ code }) => code) : []);

suite("rights on Kafka", () => {
  test(
    "what the page lists for creating and working is enough, and nothing is warned of",
    options,
    async () => {
      await allowOnly([...aclsOf("worker"), ...aclsOf("create")]);
      const opened = await eventually({ createTopics: true, replicationFactor: -1 }, ({ ok }) => ok);
      assert.ok(opened.ok);
      await opened.log.close();

      await allowOnly(aclsOf("worker"));
      const working = await openKafkaLog(worker, systemClock);
      assert.ok(working.ok, JSON.stringify(working));
      assert.deepEqual(working.warnings, []);
      const { log } = working;
      const { promise, resolve } = Promise.withResolvers<Session>();
      const failures: string[] = [];
      const membership = await log.join(resolve, (reason) => failures.push(reason));
      const session = await promise;
      for (const topic of ["enrolled", "retry", "registered", "dlq"] as const) {
        const record = { topic, partition: 0, key: Buffer.from("k"), value: Buffer.from("v"), headers: [] };
        assert.deepEqual(await log.append([record]), { ok: true }, topic);
        const scanned = await log.scan(topic, 0, 0, () => {}, new AbortController().signal);
        assert.ok(scanned.ok, topic);
      }
      assert.ok((await session.positions([0, 1])).ok);
      assert.ok((await log.survey()).ok);
      const metadata = encodeMetadata({ attemptedThrough: 1, claim: "c", limits: null, known: null });
      assert.equal(
        await session.commit([{ topic: "enrolled", partition: 0, offset: 1, metadata }]),
        "committed",
      );
      assert.equal(
        await session.commit([{ topic: "retry", partition: 0, offset: 1, metadata }]),
        "committed",
      );
      await membership.leave();
      await log.close();
      assert.deepEqual(failures, []);
    },
  );

  test("with what it lists for repartition, that goes through", options, async () => {
    await allowOnly([...aclsOf("worker"), ...aclsOf("repartition")]);
    const opened = await eventually({ anyCounts: true, attemptedThroughOf: () => null }, ({ ok }) => ok);
    assert.ok(opened.ok);
    const parts = {
      cluster: createTopicAdmin(worker, systemClock),
      log: opened.log,
      signal: new AbortController().signal,
      onStep: () => {},
      onProgress: () => {},
    };
    const ended = await repartition(parts, 3, false);
    await opened.log.close();
    assert.ok(ended.ok, JSON.stringify(ended));
  });

  test(
    "without DescribeConfigs and Describe: what can't be checked is reported, and it continues",
    options,
    async () => {
      const checks = [AclOperationTypes.DESCRIBE, AclOperationTypes.DESCRIBE_CONFIGS];
      await allowOnly(aclsOf("worker").filter(({ operation }) => !checks.includes(operation)));
      const opened = await eventually({}, (one) => codesOf(one).includes("topic-settings-unseen"));
      assert.ok(opened.ok);
      await opened.log.close();
      assert.deepEqual(
        codesOf(opened),
        Array.from({ length: 4 }, () => "topic-settings-unseen"),
      );
      const [first] = opened.warnings;
      assert.match(first!.message, /connector\.enrolled can't be checked.*DescribeConfigs/);
      assert.match(first!.fix, /^kafka-acls\.sh .*--operation DescribeConfigs --topic connector\.enrolled$/);
    },
  );

  test("without Describe on groups: the first is named, and it continues", options, async () => {
    await asAdmin((admin) =>
      admin.setOffsets({
        groupId: "of-others",
        topic: "connector.enrolled",
        partitions: [{ partition: 0, offset: "0" }],
      }),
    );
    const all = aclsOf("worker");
    await allowOnly(all.filter(({ resourceName }) => resourceName !== "*"));
    const opened = await eventually({}, (one) => codesOf(one).join() === "groups-unseen");
    assert.ok(opened.ok);
    await opened.log.close();
    assert.match(opened.warnings[0]!.message, /lacks the operation Describe on group of-others$/);
  });

  test(
    "without Write on a topic and Read on another: each is named, with the line that grants it",
    options,
    async () => {
      const { READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS } = AclOperationTypes;
      const [some] = aclsOf("worker");
      const on = (resourceName: string, ...operations: number[]) =>
        operations.map((operation) => ({
          ...some!,
          ...{ resourceName, operation, resourcePatternType: ResourcePatternTypes.LITERAL },
        }));
      const others = aclsOf("worker").filter(({ resourceType }) => resourceType !== AclResourceTypes.TOPIC);
      await allowOnly([
        ...others,
        ...on("connector.enrolled", READ, DESCRIBE_CONFIGS),
        ...on("connector.registered", READ, DESCRIBE_CONFIGS),
        ...on("connector.enrolled.retry", WRITE, DESCRIBE_CONFIGS),
        ...on("connector.enrolled.dlq", DESCRIBE, DESCRIBE_CONFIGS),
      ]);
      const opened = await eventually({}, (one) => codesOf(one).length === 3);
      assert.ok(opened.ok);
      await opened.log.close();
      const add = `kafka-acls.sh --bootstrap-server ${sasl} --add --allow-principal User:<this client's>`;
      assert.deepEqual(
        opened.warnings.map(({ message, fix }) => `${message.split(":")[0]}; ${fix.replace(add, "")}`).sort(),
        [
          "this client lacks the operation Read on connector.enrolled.retry;  --operation Read --topic connector.enrolled.retry",
          "this client lacks the operation Write on connector.registered;  --operation Write --topic connector.registered",
          "this client lacks the operations Read and Write on connector.enrolled.dlq;  --operation Read --operation Write --topic connector.enrolled.dlq",
        ],
      );
      const doctors = await findingsOf({
        KAFKA_BROKERS: sasl!,
        KAFKA_SASL_MECHANISM: "plain",
        KAFKA_SASL_USERNAME: "connector-registrar",
        KAFKA_SASL_PASSWORD: password,
      });
      assert.deepEqual(
        doctors.slice(1).map(({ status, text, fix, retryable }) => ({ status, text, fix, retryable })),
        opened.warnings.map(({ message, fix }) => ({
          status: "wrong",
          text: message,
          fix,
          retryable: false,
        })),
        "doctor names the same, as wrong",
      );
    },
  );

  test(
    "without Read on the group: it is named, whether or not the group may be described",
    options,
    async () => {
      const all = aclsOf("worker");
      const { GROUP } = AclResourceTypes;
      const own = all.filter(
        ({ resourceType, resourceName }) => resourceType !== GROUP || resourceName === "*",
      );
      for (const acls of [own, all.filter(({ resourceType }) => resourceType !== GROUP)]) {
        await allowOnly(acls);
        const opened = await eventually({}, (one) => codesOf(one).includes("rights-missing"));
        assert.ok(opened.ok);
        await opened.log.close();
        const [first] = opened.warnings;
        assert.match(first!.message, /lacks the operation Read on group connector-registrar: /);
        assert.match(first!.fix, /^kafka-acls\.sh .*--operation Read --group connector-registrar$/);
      }
    },
  );

  test("without Describe on a topic: the operation and the topic are named", options, async () => {
    await allowOnly([]);
    const opened = await eventually({}, (one) => !one.ok && one.problem.code === "topic-not-allowed");
    assert.ok(!opened.ok);
    assert.equal(opened.retryable, false);
    assert.match(opened.problem.message, /lacks the operation Describe on connector\.enrolled$/);
    assert.match(opened.problem.fix, /^kafka-acls\.sh .*--operation Describe --topic connector\.enrolled /);
  });

  test(
    "without the right to create: the operation, the topic and the lines for an administrator",
    options,
    async () => {
      const elsewhere = { topicPrefix: "connector.second.", createTopics: true };
      await allowOnly(aclsOf("worker"));
      const opened = await eventually(
        elsewhere,
        (one) => !one.ok && one.problem.code === "topics-not-created",
      );
      assert.ok(!opened.ok);
      assert.match(
        opened.problem.fix,
        /kafka-topics\.sh .*--create --topic connector\.second\.connector\.registered/,
      );
      assert.match(opened.problem.fix, /--operation Create --topic connector\.second\.connector\.enrolled$/);
      const unsized = await openKafkaLog({ ...worker, ...elsewhere, replicationFactor: -1 }, systemClock);
      assert.ok(!unsized.ok);
      assert.match(unsized.problem.fix, /export TOPICS_REPLICATION_FACTOR=3/);
    },
  );
});
