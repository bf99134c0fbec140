/** The rules for topics as a table: which facts are a problem, which a warning, and what is said to type. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  type AllFacts,
  countProblem,
  durabilityWarnings,
  settingProblem,
  type TopicFacts,
  unseenWarnings,
} from "../../../../src/log/kafka/set-up/topic-checks.ts";
import type { Topic } from "../../../../src/ports.ts";

const place = { brokers: ["broker-1:9092"], topicPrefix: "" };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const good: Readonly<Record<string, string>> = {
  "max.message.bytes": "1048588",
  "min.insync.replicas": "2",
  "unclean.leader.election.enable": "false",
  "retention.ms": String(7 * dayMs),
  "retention.bytes": "-1",
};

function topic(changes: Record<string, string> = {}, replicas = 3): TopicFacts {
  return {
    partitionCount: 6,
    replicas,
    configs: new Map(Object.entries({ ...good, "cleanup.policy": "delete", ...changes })),
  };
}

function facts(changes: Partial<AllFacts> = {}): AllFacts {
  const larger = { "max.message.bytes": "2097152" };
  return {
    enrolled: topic(),
    retry: topic(larger),
    registered: topic({ "cleanup.policy": "compact" }),
    dlq: topic({ ...larger, "retention.ms": "-1" }),
    ...changes,
  };
}

const warningsOf = (changes: Partial<AllFacts>, brokers = 3, blockedMaxMs = dayMs) =>
  durabilityWarnings(facts(changes), { ...place, brokerCount: brokers, blockedMaxMs });

const alter = (name: string, entry: string) =>
  `kafka-configs.sh --bootstrap-server broker-1:9092 --alter --entity-type topics --entity-name ${name} --add-config ${entry}`;

suite("settings of topics", () => {
  test("three replicas, two in sync, long retention: nothing to say", () => {
    assert.deepEqual(warningsOf({}), []);
    assert.equal(settingProblem(facts(), place), null);
  });

  for (const [name, changes, code, fix] of [
    [
      "one replica in sync of three",
      { enrolled: topic({ "min.insync.replicas": "1" }) },
      "topic-in-sync",
      alter("connector.enrolled", "min.insync.replicas=2"),
    ],
    [
      "all three replicas in sync",
      { enrolled: topic({ "min.insync.replicas": "3" }) },
      "topic-in-sync",
      alter("connector.enrolled", "min.insync.replicas=2"),
    ],
    [
      "more in sync than there are",
      { enrolled: topic({ "min.insync.replicas": "5" }) },
      "topic-in-sync",
      alter("connector.enrolled", "min.insync.replicas=2"),
    ],
    [
      "unclean elections",
      { enrolled: topic({ "unclean.leader.election.enable": "true" }) },
      "topic-unclean-election",
      alter("connector.enrolled", "unclean.leader.election.enable=false"),
    ],
    [
      "a retention of a day and a half, with a day for blocked tenants",
      { enrolled: topic({ "retention.ms": String(36 * hourMs) }) },
      "topic-retention",
      alter("connector.enrolled", `retention.ms=${7 * dayMs}`),
    ],
    [
      "retry with a limit in bytes",
      { retry: topic({ "max.message.bytes": "2097152", "retention.bytes": "1000000" }) },
      "topic-retention",
      alter("connector.enrolled.retry", "retention.bytes=-1"),
    ],
  ] as const) {
    test(`${name}: one warning, with the line that ends it`, () => {
      const warnings = warningsOf(changes);
      assert.deepEqual(
        warnings.map((warning) => [warning.code, warning.fix]),
        [[code, fix]],
      );
    });
  }

  test("a long TENANT_BLOCKED_MAX asks for a retention beyond it, of both inputs", () => {
    const warnings = warningsOf({}, 3, 7 * dayMs);
    assert.deepEqual(
      warnings.map(({ fix }) => fix),
      ["connector.enrolled", "connector.enrolled.retry"].map((name) =>
        alter(name, `retention.ms=${28 * dayMs}`),
      ),
    );
  });

  test("no retention is below any time", () => {
    assert.deepEqual(warningsOf({ enrolled: topic({ "retention.ms": "-1" }) }, 3, 1_000 * dayMs).length, 1);
  });

  test("one replica is a warning on a cluster of several brokers, and all that one broker can offer", () => {
    const single = topic({ "min.insync.replicas": "1" }, 1);
    assert.deepEqual(
      warningsOf({ enrolled: single }).map(({ code }) => code),
      ["topic-replicas"],
    );
    assert.deepEqual(warningsOf({ enrolled: single }, 1), []);
  });

  test("two replicas that must both be in sync: appends stop with either broker, and a lower number is not the advice", () => {
    const [warning] = warningsOf({ enrolled: topic({}, 2) });
    assert.equal(warning?.code, "topic-in-sync");
    assert.match(warning.fix, /3 replicas/);
  });

  test("settings that may not be read are reported once, and nothing else about that topic", () => {
    const unseen = { ...topic(), configs: null };
    assert.deepEqual(warningsOf({ enrolled: unseen }), []);
    assert.equal(settingProblem(facts({ enrolled: unseen }), place), null);
    const [warning, ...more] = unseenWarnings(["enrolled"], place);
    const { code, message, fix } = warning!;
    assert.deepEqual(more, []);
    assert.equal(code, "topic-settings-unseen");
    assert.match(message, /DescribeConfigs/);
    assert.match(fix, /^kafka-acls\.sh .*--operation DescribeConfigs --topic connector\.enrolled$/);
  });

  test("more dead-letter partitions than the others have are fine, fewer are not", () => {
    const counts = { enrolled: 6, retry: 6, registered: 6, dlq: 8 };
    assert.equal(countProblem(counts, place), null);
    assert.match(countProblem({ ...counts, dlq: 5 }, place)?.fix ?? "", /repartition --partitions 6$/);
  });

  test("every warning names its topic", () => {
    for (const role of ["enrolled", "retry", "registered", "dlq"] satisfies Topic[]) {
      const changes = { [role]: topic({ "unclean.leader.election.enable": "true" }) };
      assert.match(warningsOf(changes)[0]?.message ?? "", /^connector\./);
    }
  });
});

suite("event hubs", () => {
  const namespace = {
    brokers: ["ns-1.servicebus.windows.net:9093"],
    topicPrefix: "",
    flavor: "event-hubs",
  } as const;
  const ofKafka = /kafka-[a-z]+\.sh|repartition/;

  test("one size of records for all, and whatever it says of replicas, are nothing to say", () => {
    const same = facts({
      retry: topic({ "min.insync.replicas": "1" }),
      dlq: topic({ "retention.bytes": "1" }),
    });
    assert.equal(settingProblem(same, namespace), null);
    assert.deepEqual(durabilityWarnings(same, { ...namespace, brokerCount: 1, blockedMaxMs: dayMs }), []);
  });

  test("a registered topic without compaction can't be changed: the template makes another one", () => {
    const problem = settingProblem(facts({ registered: topic() }), namespace)!;
    assert.equal(problem.code, "topic-cleanup-policy");
    assert.match(problem.fix, /deploy\/azure\/event-hubs\.bicep.*KAFKA_TOPIC_PREFIX/);
    assert.doesNotMatch(problem.fix, ofKafka);
  });

  test("a short retention: how many hours, and where", () => {
    const short = facts({ enrolled: topic({ "retention.ms": String(dayMs) }) });
    const [warning] = durabilityWarnings(short, { ...namespace, brokerCount: 1, blockedMaxMs: dayMs });
    assert.match(warning!.fix, /retention time of event hub connector\.enrolled to 168 hours/);
    assert.doesNotMatch(warning!.fix, ofKafka);
  });

  test("what can't be read of all four is reported once", () => {
    const warnings = unseenWarnings(["enrolled", "retry", "registered", "dlq"], namespace);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!.fix, /cleanup policy of connector\.registered must be Compact/);
  });

  test("partition counts that differ are not changed in place", () => {
    const { fix } = countProblem({ enrolled: 6, retry: 4, registered: 6, dlq: 6 }, namespace)!;
    assert.match(fix, /another prefix/);
    assert.doesNotMatch(fix, ofKafka);
  });
});
