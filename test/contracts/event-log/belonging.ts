/** `join` and `leave`: who may work on which partitions, and what ends when that ends. */
import assert from "node:assert/strict";
import type { Session } from "../../../src/ports.ts";
import {
  appendTexts,
  at,
  type Bench,
  type DefineCase,
  type Features,
  type Member,
  numbered,
  positionOf,
  readRecords,
  scan,
  textsOf,
} from "./harness.ts";

async function assertOver(session: Session): Promise<void> {
  assert.ok(session.ended.aborted);
  assert.equal(session.heldUntilMs(), Number.NEGATIVE_INFINITY);
  assert.deepEqual(await session.read("enrolled", session.partitions[0]!), { kind: "ended" });
  const commit = {
    topic: "enrolled",
    partition: session.partitions[0]!,
    offset: 99,
    metadata: "late",
  } as const;
  assert.equal(await session.commit([commit]), "superseded");
}

export function belongingCases(define: DefineCase, features: Features): void {
  define("leaving ends the session, its reads and its commits", async ({ join }) => {
    const member = await join();
    const session = await member.session();
    const kept = { topic: "enrolled", partition: 0, offset: 1, metadata: "kept" } as const;
    assert.equal(await session.commit([kept]), "committed");
    session.seek("enrolled", 0, 0, -1);
    const waiting = [session.read("enrolled", 0), session.read("retry", 0)];
    await member.leave();
    assert.deepEqual(await Promise.all(waiting), [{ kind: "ended" }, { kind: "ended" }]);
    await assertOver(session);
    assert.deepEqual(member.failures, []);
    assert.equal(member.sessions.length, 1);
  });

  define("leave is idempotent and lets another join immediately", async ({ clock, another, join }) => {
    const first = await join();
    const old = await first.session();
    assert.equal(
      await old.commit([{ topic: "retry", partition: 1, offset: 5, metadata: "handed on" }]),
      "committed",
    );
    const heldUntilMs = old.heldUntilMs();
    await Promise.all([first.leave(), first.leave()]);
    await first.leave();
    const session = await (await join(await another())).session();
    assert.ok(clock.nowMs() < heldUntilMs, "the old membership was not waited for");
    assert.equal(session.partitions.length, old.partitions.length);
    await assertOver(old);
    const { committed } = await positionOf(session, "retry", 1);
    assert.deepEqual(committed, { offset: 5, metadata: "handed on" });
    assert.equal((await positionOf(session, "enrolled", old.partitions[0]!)).committed, null);
  });

  define("a log that was left can still be appended to and scanned", async ({ log, join }) => {
    const member = await join();
    await member.session();
    await member.leave();
    await appendTexts(log, at("enrolled", 0), ["after"]);
    assert.deepEqual(textsOf((await scan(log, at("enrolled", 0))).records), ["after"]);
  });

  if (features.groups) groupCases(define);
  else {
    define(
      "a second member is refused, with a reason, while the first continues",
      async ({ log, another, join }) => {
        const first = await (await join()).session();
        const second = await join(await another());
        assert.notEqual((await second.failure()).trim(), "");
        assert.equal(second.sessions.length, 0);
        assert.equal(second.failures.length, 1);
        await second.leave();
        assert.ok(!first.ended.aborted);
        first.seek("enrolled", 0, 0, -1);
        await appendTexts(log, at("enrolled", 0), ["still mine"]);
        assert.deepEqual(textsOf(await readRecords(first, at("enrolled", 0), 1)), ["still mine"]);
      },
    );
  }
}

/** Two sessions at the same time that share all partitions between them. */
async function split(bench: Bench, a: Member, b: Member): Promise<[Session, Session]> {
  const count = bench.log.partitionCount;
  for (;;) {
    const mine = await a.session((session) => session.partitions.length < count);
    const other = await b.session((session) => session.partitions.length < count);
    if (!mine.ended.aborted && mine.partitions.length + other.partitions.length === count)
      return [mine, other];
  }
}

function groupCases(define: DefineCase): void {
  define("two members split the partitions; the same numbers of both inputs stay together", async (bench) => {
    const a = await bench.join();
    await a.session();
    const b = await bench.join(await bench.another());
    const sessions = await split(bench, a, b);
    const all = sessions.flatMap((session) => session.partitions).sort((x, y) => x - y);
    assert.deepEqual(
      all,
      Array.from({ length: bench.log.partitionCount }, (_, partition) => partition),
    );
    for (const session of sessions) {
      assert.ok(session.partitions.length > 0, "each member has work");
      for (const partition of session.partitions) {
        for (const topic of ["enrolled", "retry"] as const) {
          await appendTexts(bench.log, at(topic, partition), [`${topic} ${partition}`]);
          session.seek(topic, partition, 0, -1);
          const got = await readRecords(session, at(topic, partition), 1);
          assert.deepEqual(textsOf(got), [`${topic} ${partition}`]);
        }
      }
    }
  });

  define("a rebalance ends the old sessions, and fences their commits", async (bench) => {
    const a = await bench.join();
    const alone = await a.session();
    const early = { topic: "enrolled", partition: 0, offset: 1, metadata: "early" } as const;
    assert.equal(await alone.commit([early]), "committed");
    alone.seek("enrolled", 0, 0, -1);
    const waiting = alone.read("enrolled", 0);
    const b = await bench.join(await bench.another());
    assert.deepEqual(await waiting, { kind: "ended" });
    const sessions = await split(bench, a, b);
    await assertOver(alone);
    const owner = sessions.find((session) => session.partitions.includes(0))!;
    assert.deepEqual((await positionOf(owner, "enrolled", 0)).committed, { offset: 1, metadata: "early" });
  });

  define("nothing of the old session reaches the new one unsought", async (bench) => {
    await appendTexts(bench.log, at("enrolled", 0), numbered("r", 3));
    const a = await bench.join();
    const alone = await a.session();
    alone.seek("enrolled", 0, 0, -1);
    await readRecords(alone, at("enrolled", 0), 3);
    const b = await bench.join(await bench.another());
    const sessions = await split(bench, a, b);
    const owner = sessions.find((session) => session.partitions.includes(0))!;
    owner.seek("enrolled", 0, 0, -1);
    assert.deepEqual(textsOf(await readRecords(owner, at("enrolled", 0), 3)), numbered("r", 3));
  });

  define("who stays is given the partitions of who leaves", async (bench) => {
    const a = await bench.join();
    await a.session();
    const b = await bench.join(await bench.another());
    const [, leaving] = await split(bench, a, b);
    const handedOn = leaving.partitions[0]!;
    const commit = { topic: "retry", partition: handedOn, offset: 2, metadata: "from b" } as const;
    assert.equal(await leaving.commit([commit]), "committed");
    await b.leave();
    const all = await a.session((session) => session.partitions.length === bench.log.partitionCount);
    assert.deepEqual((await positionOf(all, "retry", handedOn)).committed, { offset: 2, metadata: "from b" });
    await assertOver(leaving);
    assert.deepEqual(a.failures, []);
  });
}
