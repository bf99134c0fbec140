/** What is registered and what is refused: what that says in the log, what is noted of it, and when. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso } from "../../../lab/testkit/enrollments.ts";
import { answers, silence } from "../../../lab/testkit/scripted-graph.ts";
import type { Entry } from "../../../src/registrar/flow/troubled-places.ts";
import { isRegistered } from "../../../src/registrar/ledger/ledger.ts";
import { isDeadLettered, lookFrom } from "../../../src/registrar/ownership/dead-letters.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { ownDoubt } from "../life.ts";
import { from, given, idempotencyKey, object, refusal, reply } from "./outcomes-given.ts";

const jsonOf = ({ record }: Entry) => JSON.parse(new TextDecoder().decode(record.value!));

describe("what is registered", () => {
  const register = (
    at: ReturnType<typeof given>,
    work: Work,
    shownBy: "created" | "read-back" = "created",
  ) => {
    at.outcomes.register(work, { object, shownBy, reply: shownBy === "created" ? reply : null });
    return at.entries[0]!;
  };

  // INV-DURABLE-OUTCOME, INV-ONE-CREATE-PER-KEY
  test("is remembered, and in doubt no more, when it is durable and not before", () => {
    const at = given();
    const work = at.workAt(3, { attempts: 2 });
    at.partition.doubts.set(idempotencyKey, ownDoubt);
    at.clock.advance(1_500);
    const entry = register(at, work);
    assert.deepEqual(
      [isRegistered(at.partition.ledger, idempotencyKey), at.events, at.raised],
      [false, [], []],
    );
    assert.equal(at.partition.doubts.size, 1);
    entry.done(true, 0);
    assert.deepEqual(
      [isRegistered(at.partition.ledger, idempotencyKey), at.partition.doubts.size],
      [true, 0],
    );
    assert.deepEqual(at.raised, ["appended"]);
    assert.deepEqual(at.events, [
      {
        ...{ kind: "record-registered", at: { topic: "enrolled", partition: 0, offset: 3 } },
        ...{
          tenantId: contoso,
          idempotencyKey,
          graphId: "made",
          outcome: "created",
          attempts: 2,
          ageMs: 1_500,
        },
      },
    ]);
  });

  test("says by which answer it was found, and what Graph answered", () => {
    const created = jsonOf(register(given(), given().workAt(0))).data;
    assert.deepEqual(
      [created.outcome, created.graph.status, created.graph.requestId],
      ["created", 201, "request-201"],
    );
    const found = jsonOf(register(given(), given().workAt(0), "read-back")).data;
    assert.deepEqual([found.outcome, found.graph.status, found.graph.requestId], ["recovered", null, null]);
  });

  test("of a record that has no time has no age", () => {
    const at = given();
    const work = at.workAt(0);
    register(at, { ...work, record: { ...work.record, timestampMs: -1 } }).done(true, 0);
    assert.deepEqual(
      at.events.map((event) => event.kind === "record-registered" && event.ageMs),
      [null],
    );
  });
});

// INV-DURABLE-OUTCOME
describe("the next owner looks for a dead letter", () => {
  const noted = ({ partition: { deadLetters } }: ReturnType<typeof given>) =>
    (["enrolled", "retry"] as const).map((topic) => deadLetters.open[topic].map(({ offset }) => offset));

  for (const [what, topic, headers, expected] of [
    ["of its record", "enrolled", [], [[3], []]],
    ["of its record alone, whatever a producer wrote", "enrolled", from("enrolled/0/9"), [[3], []]],
    ["of a parked record and of the place that it came from", "retry", from("enrolled/0/9"), [[9], [3]]],
    ["of a parked record alone that came from another partition", "retry", from("enrolled/1/9"), [[], [3]]],
    ["of a parked record alone that was in the retry topic before", "retry", from("retry/0/1"), [[], [3]]],
  ] as const)
    test(what, () => {
      const at = given();
      at.outcomes.deadLetter(at.workAt(3, { topic, headers }), refusal, null);
      assert.deepEqual(noted(at), expected);
    });

  test("from where the topic ended when it was sent, and for later ones from behind it", () => {
    const at = given();
    at.outcomes.deadLetter(at.workAt(3), refusal, null);
    at.entries[0]!.done(true, 11);
    at.outcomes.deadLetter(at.workAt(4), refusal, null);
    const { deadLetters } = at.partition;
    assert.deepEqual([lookFrom(deadLetters, "enrolled", 3), lookFrom(deadLetters, "enrolled", 4)], [7, 12]);
  });

  test("and this worker knows a second copy of a parked record that it refused, once that is durable", () => {
    const at = given();
    const parked = at.workAt(3, { topic: "retry", headers: from("enrolled/0/9") });
    const copy = at.workAt(4, { topic: "retry", headers: from("enrolled/0/9") }).record;
    at.outcomes.deadLetter(parked, refusal, null);
    assert.equal(isDeadLettered(at.partition.deadLetters, copy), false);
    at.entries[0]!.done(true, 11);
    assert.equal(isDeadLettered(at.partition.deadLetters, copy), true);
    at.outcomes.deadLetter(at.workAt(5), refusal, null);
    at.entries[1]!.done(true, 12);
    assert.equal(at.partition.deadLetters.found.size, 1);
  });
});

test("a dead letter names Graph's request, if Graph answered, and is reported when it is durable", () => {
  const at = given();
  for (const answer of [answers(422).reply, silence("timeout", true), null])
    at.outcomes.deadLetter(at.workAt(3), refusal, answer);
  const letters = at.entries.map(({ record: { headers } }) =>
    JSON.parse(new TextDecoder().decode(headers.find(([name]) => name === "dead-letter")![1]!)),
  );
  assert.deepEqual(
    letters.map((letter) => JSON.stringify(letter).includes("request-422")),
    [true, false, false],
  );
  assert.deepEqual(at.events, []);
  at.entries[0]!.done(true, 7);
  const place = { topic: "enrolled", partition: 0, offset: 3 };
  assert.deepEqual(at.events, [
    { kind: "record-refused", at: place, code: "graph-422", pointers: ["/data"] },
  ]);
  assert.deepEqual(at.raised, ["appended"]);
});
