/** What is read before partitions are taken over, and what the stored commits say of who held them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { EventLog, Holder, InputPosition, InputTopic, Session } from "../../../src/ports.ts";
import {
  type Assignment,
  type ByTopic,
  carryClaim,
  overlapMs,
  positionsOf,
  readAssignment,
} from "../../../src/registrar/ownership/assignment.ts";
import { encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";
import { createPersist } from "../../../src/registrar/persist.ts";

interface Said {
  readonly claim?: string;
  readonly holder?: Holder;
}

/** `said`: by the stored commit; null: there is none. */
function positionAt(topic: InputTopic, said: Said | null, partition = 0): InputPosition {
  const { claim = "ours", holder } = said ?? {};
  const known = { attemptedThrough: 0, claim, limits: null, known: null };
  const metadata = encodeMetadata({ ...known, ...(holder && { holder }) });
  const committed = said === null ? null : { offset: 0, metadata };
  return { topic, partition, committed, logStart: 0, logEnd: 9 };
}

const both = (enrolled: Said | null, retry: Said | null): ByTopic => ({
  enrolled: positionAt("enrolled", enrolled),
  retry: positionAt("retry", retry),
});

test("a partition's positions are its own, of both inputs, wherever they stand among those of others", () => {
  const positions = [0, 1, 2].flatMap((partition) =>
    (["retry", "enrolled"] as const).map((topic) => positionAt(topic, null, partition)),
  );
  const assignment = { positions } as unknown as Assignment;
  for (const partition of [0, 1, 2]) {
    const found = positionsOf(assignment, partition);
    assert.deepEqual(found, {
      enrolled: positionAt("enrolled", null, partition),
      retry: positionAt("retry", null, partition),
    });
  }
});

// INV-CLAIM
test("stored commits carry a claim only where those of both inputs do", () => {
  const [ours, theirs] = [{ claim: "ours" }, { claim: "theirs" }];
  const table = [
    [ours, ours, true],
    [ours, theirs, false],
    [theirs, ours, false],
    [ours, null, false],
    [null, ours, false],
    [null, null, false],
  ] as const;
  for (const [enrolled, retry, expected] of table)
    assert.equal(carryClaim(both(enrolled, retry), "ours"), expected, JSON.stringify([enrolled, retry]));
});

// INV-LEASE
describe("the worker that committed last may still begin creates", () => {
  const held = (memberId: string, ms: number): Said => ({ holder: { memberId, overlapMs: ms } });
  const session = (joined?: readonly string[]) =>
    ({ ...(joined && { joinedBy: (id: string) => joined.includes(id) }) }) as unknown as Session;
  const table = [
    ["not at all where no commit is a static member's", {}, {}, undefined, 0],
    ["for as long as its commit says", held("a", 30), held("a", 30), undefined, 30],
    ["for the longer time of the two inputs' commits", held("a", 10), held("b", 20), [], 20],
    ["for the longer time, also where that is the first one's", held("a", 20), {}, [], 20],
    ["not at all where it came into this generation by itself", held("a", 30), held("a", 30), ["a"], 0],
    ["where another member came in", held("a", 30), {}, ["b"], 30],
  ] as const;
  for (const [name, enrolled, retry, joined, expected] of table)
    test(name, () => assert.equal(overlapMs(both(enrolled, retry), session(joined)), expected));
});

describe("an assignment is read", () => {
  function given() {
    const time = virtualTime();
    const failed: string[] = [];
    const ended = new AbortController();
    const script = { positions: [] as unknown[], survey: [] as unknown[] };
    const positions = [positionAt("enrolled", null)];
    const topics = { enrolled: {} };
    const session = {
      ended: ended.signal,
      positions: async () => script.positions.shift() ?? { ok: true, positions },
    } as unknown as Session;
    const log = { survey: async () => script.survey.shift() ?? { ok: true, topics } } as unknown as EventLog;
    const persist = createPersist({
      clock: time,
      random: () => 0.5,
      observe: (event) => event.kind === "log-failed" && failed.push(event.operation),
    });
    const read = () => readAssignment({ log, persist }, session, [0]);
    return { time, failed, ended, script, positions, topics, read };
  }

  test("until both the positions and the topics are known, whatever fails on the way", async () => {
    const { time, failed, script, positions, topics, read } = given();
    script.positions.push({ ok: false, reason: "no coordinator" });
    script.survey.push({ ok: false, reason: "no leader" });
    let result: Assignment | null | undefined;
    void read().then((value) => {
      result = value;
    });
    await time.until("it is read", () => result !== undefined);
    assert.deepEqual(result, { positions, topics });
    assert.deepEqual(failed, ["positions", "survey"]);
  });

  test("no further once the session has ended, in either of the two requests", async () => {
    for (const operation of ["positions", "survey"] as const) {
      const { script, ended, read } = given();
      script[operation].push(
        Promise.resolve().then(() => {
          ended.abort();
          return { ok: false, reason: "no leader" };
        }),
      );
      assert.equal(await read(), null, operation);
    }
  });
});
