/** The first commit of a take-over: what it says, and what follows from the answer. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Commit, CommitResult, Holder, Session } from "../../../src/ports.ts";
import { commitClaim } from "../../../src/registrar/ownership/commit-claim.ts";
import { decodeMetadata, type Limits } from "../../../src/registrar/ownership/commit-metadata.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { createPersist } from "../../../src/registrar/persist.ts";
import { freshPartition, planFrom } from "../fresh-partition.ts";

const { settleMs, orphanMs } = settings;
const attemptAhead = 10;
const honouredBefore: Limits = { settleMs: 90_000, orphanMs: 1, isHonoured: true };
/** How long the log takes to answer. */
const answerMs = 100;

interface Given {
  readonly inherited?: Limits;
  readonly honoursIds?: boolean;
  readonly sendId?: boolean;
  readonly holder?: Holder;
  readonly answers?: readonly CommitResult[];
}

/** Claims a partition whose enrolled topic is settled below 4 and attempted below 30, and whose retry topic is at 7. */
function claim({
  inherited = honouredBefore,
  honoursIds = true,
  sendId = true,
  holder,
  answers = ["committed"],
}: Given = {}) {
  const time = virtualTime();
  const startMs = time.nowMs();
  const script = [...answers];
  const events: RegistrarEvent[] = [];
  const sent: (readonly Commit[])[] = [];
  const ended = new AbortController();
  const world = {
    time,
    events,
    sent,
    ended,
    unknowns: 0,
    result: undefined as unknown,
    said: () => sent.at(-1)!.map(({ metadata }) => decodeMetadata(metadata)),
  };
  const session = {
    ended: ended.signal,
    ...(holder && { holder }),
    async commit(commits: readonly Commit[]) {
      sent.push(commits);
      await new Promise<void>((resolve) => time.after(answerMs, resolve));
      return script.shift() ?? "unknown";
    },
  } as unknown as Session;
  const lease = createLease(session);
  const plans = { enrolled: planFrom(4, 30), retry: planFrom(7) };
  const partition = freshPartition({ number: 3, lease, plans, inherited, deadLettersEnd: 5 });
  const ports = { clock: time, random: () => 0.5, observe: (event: RegistrarEvent) => events.push(event) };
  void commitClaim(
    {
      ports,
      settings: { ...settings, attemptAhead, sendId },
      persist: createPersist(ports),
      honoursIds: () => honoursIds,
      onUnknown: () => world.unknowns++,
    },
    partition,
    plans,
  ).then((result) => {
    world.result = result;
  });
  return Object.assign(world, { partition, lease, startMs });
}

// INV-CLAIM, INV-WATERMARK
describe("a claim", () => {
  test("commits both inputs where they stand, and promises ahead of each, never less than was promised before", async () => {
    const { time, sent, partition, said } = claim();
    await time.pass(1_000);
    assert.deepEqual(
      sent.map((commits) => commits.map(({ topic, partition: of, offset }) => [topic, of, offset])),
      [
        [
          ["enrolled", 3, 4],
          ["retry", 3, 7],
        ],
      ],
    );
    assert.deepEqual(
      said().map((one) => [one?.claim, one?.attemptedThrough, one?.known?.deadLettersFrom]),
      [
        [partition.claim, 30, 5],
        [partition.claim, 7 + attemptAhead, 5],
      ],
    );
  });

  test("says who holds the partition only where a static member does", async () => {
    const holder = { memberId: "me", overlapMs: 30_000 };
    const held = claim({ holder });
    await held.time.pass(1_000);
    assert.deepEqual(
      held.said().map((one) => one?.holder),
      [holder, holder],
    );
    const free = claim();
    await free.time.pass(1_000);
    assert.ok(free.said().every((one) => one !== null && !("holder" in one)));
  });
});

// INV-DOUBT
describe("the limits of a claim are by each the longer ones of both owners; ids count as honoured", () => {
  for (const [where, given, isHonoured] of [
    ["where both owners' are", {}, true],
    ["not where the last owner's were not", { inherited: { ...honouredBefore, isHonoured: false } }, false],
    ["not where Graph has not shown it to this one", { honoursIds: false }, false],
    ["not where this one sends none", { sendId: false }, false],
  ] as const)
    test(where, async () => {
      const { time, said, partition } = claim(given);
      await time.pass(1_000);
      const limits = { settleMs: Math.max(settleMs, 90_000), orphanMs, isHonoured };
      assert.deepEqual(
        said().map((one) => one?.limits),
        [limits, limits],
      );
      assert.deepEqual([...partition.saysHonoured], isHonoured ? ["enrolled", "retry"] : []);
    });
});

// INV-LEASE
describe("the answer to a claim:", () => {
  const reported = (events: readonly RegistrarEvent[]) =>
    events.map((event) => (event.kind === "committed" ? [event.result, event.partitions] : event.kind));

  test("acknowledged, it renews the lease from its sending on, and its watermarks are the partition's", async () => {
    const watermarks = { enrolled: 30, retry: 7 + attemptAhead };
    const claimed = claim();
    await claimed.time.pass(1_000);
    assert.deepEqual(claimed.result, watermarks);
    assert.equal(claimed.lease.renewedAt?.monotonicMs, claimed.startMs);
    assert.deepEqual(reported(claimed.events), [["committed", 1]]);
    assert.equal(claimed.unknowns, 0);
  });

  for (const answer of ["unknown", "superseded"] as const)
    test(`${answer}, it is committed again; the lease counts from the one that was acknowledged`, async () => {
      const claimed = claim({ answers: [answer, "committed"] });
      await claimed.time.pass(answerMs);
      assert.deepEqual([claimed.lease.renewedAt, claimed.result], [null, undefined]);
      await claimed.time.until("it is acknowledged", () => claimed.result !== undefined);
      assert.equal(claimed.sent.length, 2);
      assert.equal(claimed.lease.renewedAt?.monotonicMs, claimed.time.nowMs() - answerMs);
      assert.equal(claimed.unknowns, answer === "unknown" ? 1 : 0);
      assert.deepEqual(reported(claimed.events), [[answer, 1], "log-failed", ["committed", 1]]);
      const failure = claimed.events.find((event) => event.kind === "log-failed");
      assert.match(failure?.reason ?? "", new RegExp(`the claim of partition 3 .*${answer}`));
    });

  test("when the session ends first, there is none", async () => {
    const claimed = claim({ answers: ["superseded"] });
    await claimed.time.pass(answerMs);
    claimed.ended.abort();
    await claimed.time.pass(60_000);
    assert.equal(claimed.result, null);
    assert.equal(claimed.sent.length, 1);
  });
});
