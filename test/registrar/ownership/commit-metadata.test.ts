import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeMetadata,
  encodeMetadata,
  ownLimits,
} from "../../../src/registrar/ownership/commit-metadata.ts";

const stored = (members: object) => decodeMetadata(JSON.stringify({ v: 1, a: 7, c: "x", ...members }));
const limits = { s: 20_000, o: 120_000, h: 1 };
const known = { t: "id-e", g: "id-g", l: 9, n: 4, e: 3, r: 11 };

test("ids count as honoured only where they are sent and Graph has shown that it takes them", () => {
  const honoured = (sendId: boolean, takesIds: boolean) =>
    ownLimits({ settleMs: 1, orphanMs: 2, sendId }, takesIds).isHonoured;
  assert.deepEqual(
    [honoured(true, true), honoured(true, false), honoured(false, true)],
    [true, false, false],
  );
});

test("what was written is read, and what another program wrote is nothing", () => {
  for (const isHonoured of [true, false]) {
    const metadata = {
      attemptedThrough: 7,
      claim: "x",
      limits: { settleMs: 1, orphanMs: 2, isHonoured },
      known: null,
    };
    assert.deepEqual(decodeMetadata(encodeMetadata(metadata)), metadata);
  }
  for (const other of [{ v: 2 }, { v: undefined }, { a: 1.5 }, { a: "7" }, { c: null }, { c: 5 }])
    assert.equal(stored(other), null, JSON.stringify(other));
  for (const text of ["", "null", "reset by hand", "[]"]) assert.equal(decodeMetadata(text), null);
});

test("limits that are not a time are unknown, so that the next owner waits for the longest", () => {
  assert.deepEqual(stored(limits)?.limits, { settleMs: 20_000, orphanMs: 120_000, isHonoured: true });
  for (const wrong of [{ s: -1 }, { s: "20000" }, { s: 1.5 }, { o: -1 }, { o: null }, { s: undefined }])
    assert.equal(stored({ ...limits, ...wrong })?.limits, null, JSON.stringify(wrong));
  assert.deepEqual(stored({ ...limits, s: 0, o: 0 })?.limits, { settleMs: 0, orphanMs: 0, isHonoured: true });
});

test("only a one says that ids are honoured", () => {
  for (const h of [0, true, "1", undefined])
    assert.equal(stored({ ...limits, h })?.limits?.isHonoured, false);
});

test("of a log that was known, what is unreadable is unknown, and without a ledger's end nothing is known", () => {
  assert.deepEqual(stored(known)?.known, {
    topicId: "id-e",
    ledgerId: "id-g",
    ledgerEnd: 9,
    ledgerSize: 4,
    leaderEpoch: 3,
    readThrough: 11,
    readThroughEpoch: -1,
    deadLettersFrom: null,
  });
  assert.deepEqual(stored({ ...known, t: 5, g: null, e: "3", r: -2 })?.known, {
    topicId: null,
    ledgerId: null,
    ledgerEnd: 9,
    ledgerSize: 4,
    leaderEpoch: -1,
    readThrough: 0,
    readThroughEpoch: -1,
    deadLettersFrom: null,
  });
  for (const [d, from] of [
    [5, 5],
    [-1, null],
    ["5", null],
  ])
    assert.equal(stored({ ...known, d })?.known?.deadLettersFrom, from);
  for (const [f, epoch] of [
    [3, 3],
    [-2, -1],
    ["3", -1],
  ])
    assert.equal(stored({ ...known, f })?.known?.readThroughEpoch, epoch);
  for (const l of [-1, "9", undefined]) assert.equal(stored({ ...known, l })?.known, null);
});

test("what is stored is this text, in which what is not known is left out; a first leader's epoch is known", () => {
  const all = { topicId: "t", ledgerId: "g", ledgerEnd: 9, ledgerSize: 4, leaderEpoch: 0, readThrough: 0 };
  const unknown = { ...all, readThroughEpoch: -1, deadLettersFrom: null };
  const first = { ...all, readThroughEpoch: 0, deadLettersFrom: 0 };
  const base = { attemptedThrough: 12, claim: "x", limits: null, known: null };
  const holder = { memberId: "m", overlapMs: 0 };
  const head = '{"v":1,"a":12,"c":"x"';
  for (const [metadata, text] of [
    [base, `${head}}`],
    [{ ...base, holder }, `${head},"m":"m","w":0}`],
    [{ ...base, known: unknown }, `${head},"t":"t","g":"g","l":9,"n":4,"e":0,"r":0}`],
    [{ ...base, known: first }, `${head},"t":"t","g":"g","l":9,"n":4,"e":0,"r":0,"f":0,"d":0}`],
    [{ ...base, limits: { settleMs: 1, orphanMs: 2, isHonoured: false } }, `${head},"s":1,"o":2,"h":0}`],
  ] as const) {
    assert.equal(encodeMetadata(metadata), text);
    assert.deepEqual(decodeMetadata(text), metadata);
  }
});
