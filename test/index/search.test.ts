import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { contoso, fabrikam, keyOf, tailspin } from "../../lab/testkit/enrollments.ts";
import type { Enrollment, SearchQuery } from "../../src/index/enrollment-index.ts";
import { Search } from "../../src/index/query.ts";
import { createStore } from "../../src/index/store.ts";
import {
  event,
  indexPath,
  MemoryTopics,
  type Opened,
  openOn,
  refused,
  registered,
  startMs,
} from "./topics.ts";

const tenants = [contoso, fabrikam, tailspin];
const machines = ["HOST-1", "host-1", "Straße", "STRASSE", "x"];
const connectors = ["connector", "other"];

async function filled(t: { after(end: () => void): void }): Promise<Opened> {
  const topics = new MemoryTopics();
  for (let n = 0; n < 60; n++) {
    const of = {
      tenant: tenants[n % 3]!,
      machine: machines[n % 5]!,
      connector: connectors[n % 2]!,
      at: `2026-01-01T00:00:${String(n % 60).padStart(2, "0")}Z`,
      event: `event-${n % 7}`,
    };
    const record = topics.append(event(of));
    const graphId = n % 4 === 1 ? keyOf(of) : `graph-${n}`;
    if (n % 4 < 2) topics.append(registered({ ...of, graphId, registeredAt: startMs + (n % 10) * 1000 }));
    if (n % 4 === 2)
      topics.append(refused(record, n % 3 === 0 ? "graph-400" : "tenant-blocked", startMs + n));
  }
  const open = openOn(topics.log, indexPath(t));
  t.after(() => open.index.close());
  await open.read();
  return open;
}

test("the counts of each tenant are those of its rows", async (t) => {
  const open = await filled(t);
  const all = pages(open, {}, 50);
  const of = (tenantId: string, state: string) =>
    all.filter((row) => row.tenantId === tenantId && row.state === state).length;
  const expectedCounts = tenants.toSorted().map((tenantId) => ({
    ...{ tenantId, waiting: of(tenantId, "waiting") },
    ...{ registered: of(tenantId, "registered"), refused: of(tenantId, "refused") },
  }));
  assert.deepEqual(open.index.tenantCounts(), expectedCounts);
});

function pages({ index }: Opened, query: Omit<SearchQuery, "limit">, limit: number): Enrollment[] {
  const rows: Enrollment[] = [];
  let after: string | null = null;
  do {
    const page = index.search({ ...query, limit, after });
    rows.push(...page.rows);
    after = page.next;
  } while (after !== null);
  return rows;
}

/** The same by looking at each. */
function expected(all: readonly Enrollment[], query: Omit<SearchQuery, "limit">): Enrollment[] {
  const fold = (name: string | null | undefined) => name?.toLowerCase().toUpperCase();
  return all.filter(
    (one) =>
      (query.tenantIds === undefined || query.tenantIds.includes(one.tenantId!)) &&
      (query.machineName === undefined || fold(one.machineName) === fold(query.machineName)) &&
      (query.connectorName === undefined || one.connectorName === query.connectorName) &&
      (query.graphId === undefined || one.registered?.graphId === query.graphId) &&
      (query.key === undefined || one.key === query.key) &&
      (query.eventId === undefined || one.eventId === query.eventId) &&
      (query.code === undefined || one.refused?.code === query.code) &&
      (query.state === undefined || one.state === query.state) &&
      (query.sinceMs === undefined || one.atMs >= query.sinceMs) &&
      (query.untilMs === undefined || one.atMs < query.untilMs),
  );
}

test("every search, alone and combined, finds what looking at each row finds, page by page", async (t) => {
  const open = await filled(t);
  const all = pages(open, {}, 7);
  assert.equal(all.length, 60);
  assert.deepEqual(
    all,
    [...all].sort((a, b) => b.atMs - a.atMs || all.indexOf(a) - all.indexOf(b)),
  );
  const of = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const some = (pick: (one: Enrollment) => string | null | undefined) =>
    of([...new Set(all.flatMap((one) => pick(one) ?? [])), "none of these"]);
  const query = fc.record({
    tenantIds: fc.option(fc.subarray([...tenants, "99999999-9999-4999-8999-999999999999"]), {
      nil: undefined,
    }),
    machineName: of([...machines, "HOST-9"]),
    connectorName: of([...connectors, "third"]),
    graphId: some((one) => one.registered?.graphId),
    key: some((one) => one.key),
    eventId: some((one) => one.eventId),
    code: of(["graph-400", "tenant-blocked", "none"]),
    state: of(["waiting", "registered", "refused"] as const),
    sinceMs: of([0, startMs, startMs + 4000]),
    untilMs: of([startMs + 5000, startMs + 40_000]),
  });
  const sparse = query.map((full) =>
    Object.fromEntries(Object.entries(full).filter(([, value]) => value !== undefined)),
  );
  const drop = fc.tuple(sparse, fc.subarray(Object.keys(emptyQuery), { minLength: 5 }));
  fc.assert(
    fc.property(drop, fc.integer({ min: 1, max: 20 }), ([full, dropped], limit) => {
      const asked = Object.fromEntries(Object.entries(full).filter(([name]) => !dropped.includes(name)));
      assert.deepEqual(pages(open, asked, limit), expected(all, asked), JSON.stringify(asked));
    }),
    { numRuns: 400 },
  );
});

const emptyQuery: Record<keyof Omit<SearchQuery, "limit" | "after">, null> = {
  ...{ tenantIds: null, machineName: null, connectorName: null, graphId: null, key: null, eventId: null },
  ...{ code: null, state: null, sinceMs: null, untilMs: null },
};

test("every criterion leads by an index of its own, without a sort where many rows may hold", async (t) => {
  const topics = new MemoryTopics();
  topics.append(refused(topics.append(event({})), "graph-400"));
  const path = indexPath(t);
  const { index, read } = openOn(topics.log, path);
  await read();
  index.close();
  const db = new DatabaseSync(path);
  t.after(() => db.close());
  const texts: string[] = [];
  const prepare = (text: string) => {
    if (text.includes("ORDER BY at_ms")) texts.push(text);
    return db.prepare(text);
  };
  const watched = new Proxy(db, {
    get: (of, name) => (name === "prepare" ? prepare : Reflect.get(of, name).bind(of)),
  });
  const search = new Search(watched, createStore(db));
  const planOf = (query: Omit<SearchQuery, "limit">): string => {
    texts.length = 0;
    search.run({ ...query, limit: 10 });
    assert.equal(texts.length, 1, JSON.stringify(query));
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${texts[0]}`).all() as unknown as { detail: string }[];
    return steps.map(({ detail }) => detail).join("; ");
  };
  const window = { sinceMs: 1, untilMs: 2 };
  const leads = [
    [{ connectorName: "a" }, /by_connector/],
    [{ connectorName: "a", tenantIds: [contoso], ...window }, /by_connector/],
    [{ machineName: "b" }, /by_machine/],
    [{ machineName: "b", connectorName: "a", state: "refused" }, /by_machine/],
    [{ tenantIds: [contoso] }, /by_tenant/],
    [{ tenantIds: [contoso], after: "5-5", ...window }, /by_tenant/],
    [{ code: "graph-400" }, /by_code/],
    [{ state: "waiting" }, /by_waiting/],
    [{ state: "refused", tenantIds: [contoso] }, /by_refused/],
    [{ state: "registered" }, /by_time/],
    [{}, /by_time/],
    [window, /by_time/],
  ] as const;
  for (const [query, lead] of leads) {
    const plan = planOf(query);
    assert.match(plan, lead, JSON.stringify(query));
    assert.doesNotMatch(plan, /SCAN enrollments(?! USING INDEX)|TEMP B-TREE/, JSON.stringify(query));
  }
  // Few rows hold for these: sorting them is nothing.
  assert.match(planOf({ key: keyOf({}), tenantIds: [contoso], ...window }), /by_key/);
  assert.match(planOf({ eventId: "event-1", machineName: "a" }), /by_event/);
  const byGraph = planOf({ graphId: keyOf({}), connectorName: "a", state: "registered" });
  assert.match(byGraph, /by_graph.*by_key/);
  assert.doesNotMatch(byGraph, /SCAN enrollments/);
  assert.match(planOf({ graphId: "no UUID" }), /by_graph/);
});

test("values with quotes, wildcards and null characters are looked for as they are", async (t) => {
  const topics = new MemoryTopics();
  const hostile = ["a' OR 1=1 --", "%", "_", 'a"b', "a\\b", "a\u{1f600}b", "__proto__"];
  for (const machine of hostile) topics.append(event({ machine, connector: machine, event: machine }));
  const { index, read } = openOn(topics.log, indexPath(t));
  await read();
  for (const name of [...hostile, "", "\u0000", "a".repeat(10_000)]) {
    const found = hostile.includes(name) ? 1 : 0;
    for (const query of [{ machineName: name }, { connectorName: name }, { eventId: name }])
      assert.equal(index.search({ ...query, limit: 10 }).rows.length, found, JSON.stringify(query));
    for (const query of [{ key: name }, { graphId: name }, { code: name }, { tenantIds: [name] }])
      assert.equal(index.search({ ...query, limit: 10, after: name }).rows.length, 0);
    assert.equal(index.find(name), null);
  }
  assert.equal(index.search({ limit: Number.NaN }).rows.length, 1);
  index.close();
});
