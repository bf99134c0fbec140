import assert from "node:assert/strict";
import { test } from "node:test";
import { planDemo } from "../../demo/plan.ts";
import { type DemoOutcome, verifyDemo } from "../../demo/verify.ts";
import type { GraphObject } from "../../src/graph-port.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";

const plan = planDemo(20, 1, 4);
const records = plan.records.map((planned) => planned.make());
const utf8 = (value: unknown) => Buffer.from(JSON.stringify(value));

function stored(records: readonly NewRecord[]): LogRecord[] {
  const next = new Map<number, number>();
  return records.map((record) => {
    const offset = next.get(record.partition) ?? 0;
    next.set(record.partition, offset + 1);
    return { ...record, offset, timestampMs: 0, leaderEpoch: -1 };
  });
}

/** An outcome in which all is right, changed by the test. */
function outcome(): {
  enrolled: LogRecord[];
  registered: LogRecord[];
  deadLetters: LogRecord[];
  inventory: Record<string, GraphObject[]>;
} {
  const enrolled = stored(records);
  const deadLetters = enrolled
    .filter((_, index) => plan.records[index]!.isBad)
    .map(({ partition, offset, ...record }) => {
      const reason = utf8({ code: "x", source: { topic: "connector.enrolled", partition, offset } });
      return {
        ...record,
        topic: "dlq" as const,
        partition,
        headers: [...record.headers, ["dead-letter", reason] as const],
      };
    });
  const inventory: Record<string, GraphObject[]> = {};
  const registered = plan.enrollments.map(({ tenantId, data }, index) => {
    const object = { id: `graph-${index}`, ...data };
    inventory[tenantId] ??= [];
    inventory[tenantId].push(object);
    const value = utf8({
      id: `key-${index}`,
      data: { ...object, tenantId, outcome: index === 0 ? "recovered" : "created" },
    });
    return { topic: "registered" as const, partition: 0, key: null, value, headers: [] };
  });
  return { enrolled, registered: stored(registered), deadLetters: stored(deadLetters), inventory };
}

const failing = (change: (made: ReturnType<typeof outcome>) => void) => {
  const made = outcome();
  change(made);
  return verifyDemo(plan, made as DemoOutcome);
};

test("all right: no problems, and the counts", () => {
  const { counts, problems } = verifyDemo(plan, outcome());
  assert.deepEqual(problems, []);
  assert.deepEqual(counts, {
    events: 20,
    emitted: plan.records.length,
    registered: 20,
    recovered: 1,
    duplicatesIgnored: 2,
    deadLettered: plan.bad,
    graphObjects: 20,
    duplicateObjects: 0,
    lost: 0,
  });
});

test("a second object for an enrollment is found, also under another case", () => {
  const { counts, problems } = failing(({ inventory }) => {
    const [objects] = Object.values(inventory);
    objects!.push({ ...objects![0]!, id: "again", machineName: objects![0]!.machineName.toLowerCase() });
  });
  assert.equal(counts.duplicateObjects, 1);
  assert.match(problems[0]!, /2 Graph objects/);
});

test("a lost registered record and a lost object are found", () => {
  assert.equal(failing(({ registered }) => registered.pop()).counts.lost, 1);
  assert.equal(failing(({ inventory }) => Object.values(inventory)[0]!.pop()).counts.lost, 1);
});

test("a lost, an altered, a doubled and an undeserved dead letter are found", () => {
  assert.equal(failing(({ deadLetters }) => deadLetters.pop()).counts.lost, 1);
  const altered = failing(({ deadLetters }) =>
    deadLetters.push({ ...deadLetters.pop()!, value: utf8("other") }),
  );
  assert.match(altered.problems[0]!, /differs/);
  const doubled = failing(({ deadLetters }) => deadLetters.push(deadLetters[0]!));
  assert.match(doubled.problems[0]!, /two dead letters/);
  const undeserved = failing(({ deadLetters }) => {
    const reason = utf8({ code: "attempts-exhausted", source: { partition: 99, offset: 99 } });
    deadLetters.push({ ...deadLetters[0]!, headers: [["dead-letter", reason]] });
  });
  assert.match(undeserved.problems[0]!, /good record: 99\/99 attempts-exhausted/);
});

test("a registered record with another id than Graph's is found", () => {
  const { problems } = failing(({ inventory }) => {
    const [objects] = Object.values(inventory);
    objects![0] = { ...objects![0]!, id: "other" };
  });
  assert.match(problems[0]!, /an id that Graph doesn't have/);
});

test("a second registered record under another CloudEvents id is found", () => {
  const { problems } = failing(({ registered }) => {
    const event = JSON.parse(Buffer.from(registered[0]!.value!).toString());
    registered.push({ ...registered[0]!, value: utf8({ ...event, id: "another" }) });
  });
  assert.match(problems[0]!, /has 2 registered records/);
});

test("a second registered record, and a stranger's, are found", () => {
  assert.ok(failing(({ registered }) => registered.push(registered[0]!)).problems.length > 0);
  const { problems } = failing(({ inventory }) =>
    Object.values(inventory)[0]!.push({
      id: "x",
      connectorName: "c",
      machineName: "m",
      enrollmentDateTime: "d",
      lastCheckinDateTime: "l",
      connectorVersion: "v",
    }),
  );
  assert.match(problems[0]!, /never emitted/);
});

test("a record that never reached the topic is found", () => {
  assert.match(failing(({ enrolled }) => enrolled.pop()).problems[0]!, /were emitted/);
});
