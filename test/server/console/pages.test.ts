/** The pages as text: their policy, hostile values, search, records, and word of changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Script } from "node:vm";
import { contoso, fabrikam, tailspin } from "../../../lab/testkit/enrollments.ts";
import { refusal } from "../../../src/domain/refusal.ts";
import { scriptText } from "../../../src/server/console/assets/script.ts";
import { consoleLimits } from "../../../src/server/console/limits.ts";
import { until } from "../service-harness.ts";
import { consoleFor, endMs, paths, refused, troubled } from "./harness.ts";

test("each page allows its own style sheet and script alone, and holds nothing inline", async (t) => {
  const console = await consoleFor(t, { workers: troubled });
  const [row] = console.index.search({ state: "refused", limit: 1 }).rows;
  for (const path of [...paths, `/console/enrollment?id=${row!.id}`]) {
    const response = await console.get(path);
    const text = await response.text();
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    const policy = response.headers.get("content-security-policy")!;
    assert.match(
      policy,
      /^default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.doesNotMatch(text, /<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\bsrc=)/i, path);
    for (const [, address] of text.matchAll(/(?:src|href|action)="([^"]*)"/g))
      assert.match(address!, /^(?:\/console(?:[/?]|$)|#main$)/, `${path}: ${address}`);
  }
  assert.doesNotThrow(() => new Script(scriptText));
});

test("a search takes every criterion, says what is wrong with one, and continues page by page", async (t) => {
  const { get, index } = await consoleFor(t);
  const [row] = index.search({ state: "registered", tenantIds: [fabrikam], limit: 1 }).rows;
  const rowsOf = async (query: Record<string, string>) => {
    const text = await (await get(`/console/enrollments?${new URLSearchParams(query)}`)).text();
    return [...text.matchAll(/<a href="\/console\/enrollment\?id=([^"]*)"/g)].map(([, id]) => id!);
  };
  const criteria: readonly Record<string, string>[] = [
    { key: row!.key!.toUpperCase() },
    { graph: row!.registered!.graphId },
    { event: row!.eventId!, tenant: fabrikam },
    { machine: row!.machineName!.toLowerCase(), connector: row!.connectorName!, state: "registered" },
    {
      tenant: ` ${fabrikam} `,
      since: new Date(row!.atMs).toISOString(),
      until: new Date(row!.atMs + 1).toISOString(),
    },
  ];
  for (const each of criteria) assert.deepEqual(await rowsOf(each), [row!.id], JSON.stringify(each));
  assert.equal((await rowsOf({ code: "tenant-not-allowed" })).length, 1);
  assert.deepEqual(await rowsOf({ machine: "nothing" }), []);
  for (const [wrong, words] of [
    [{ tenant: "contoso" }, /Type a GUID/],
    [{ key: "x" }, /Type a GUID/],
    [{ since: "yesterday" }, /Type how long ago/],
    [{ until: "2026-02-30" }, /Type how long ago/],
  ] as const) {
    const text = await (await get(`/console/enrollments?${new URLSearchParams(wrong)}`)).text();
    assert.match(text, words);
    assert.match(text, /aria-invalid="true"/);
  }
  const seen = new Set<string>();
  let next: string | undefined = "/console/enrollments";
  while (next !== undefined) {
    const text: string = await (await get(next)).text();
    for (const [, id] of text.matchAll(/<a href="\/console\/enrollment\?id=([^"]*)"/g)) seen.add(id!);
    next = /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
  }
  assert.equal(seen.size, index.search({ limit: 1_000 }).rows.length);
});

test("times are read as UTC, or as how long ago", async (t) => {
  const { get } = await consoleFor(t);
  const count = async (since: string) =>
    [
      ...(await (await get(`/console/enrollments?since=${encodeURIComponent(since)}`)).text()).matchAll(
        /console\/enrollment\?/g,
      ),
    ].length;
  const expected = await count("10m");
  assert.ok(expected > 2 && expected < 50);
  for (const same of ["2026-11-20 08:50:30", "2026-11-20T08:50:30Z", "2026-11-20 09:50:30+01:00", "600s"])
    assert.equal(await count(same), expected, same);
});

test("a story of one that was refused: reason, request-id, record in hexadecimal where it is not text", async (t) => {
  const { get, index } = await consoleFor(t);
  const [broken] = index.search({ code: "value-not-json", limit: 1 }).rows;
  const text = await (await get(`/console/enrollment?id=${encodeURIComponent(broken!.id)}`)).text();
  assert.match(text, /Refused: <bdi>value-not-json/);
  assert.match(text, /c3 28 0a 00 ff 7b<\/pre>/);
  assert.match(text, new RegExp(broken!.refused!.requestId!));
});

test("a record that retention took: its place and its story stay, and that it is gone is said", async (t) => {
  const { get, index, memory } = await consoleFor(t);
  const [row] = index.search({ state: "registered", limit: 1 }).rows;
  const { partition, offset } = row!.position!;
  memory.truncate("enrolled", partition, offset + 1);
  const text = await (await get(`/console/enrollment?id=${row!.id}`)).text();
  assert.match(text, /retention or compaction removed it/);
  assert.match(text, new RegExp(`enrolled/${partition}/${offset}`));
});

test("one that waits for a blocked tenant says so, in Graph's words", async (t) => {
  const { get, index } = await consoleFor(t, { workers: troubled });
  const [row] = index.search({ state: "waiting", tenantIds: [fabrikam], limit: 1 }).rows;
  const text = await (await get(`/console/enrollment?id=${row!.id}`)).text();
  assert.match(text, /Graph refuses this tenant: .*Application is not authorized/);
});

test("tenants: who is served, paused, or not; how many enrollments each has", async (t) => {
  const { get, index } = await consoleFor(t, { workers: troubled });
  const text = await (await get("/console/tenants")).text();
  const rowOf = (tenantId: string) => text.split("<tr>").find((each) => each.includes(tenantId))!;
  assert.match(rowOf(contoso), /<td>yes<\/td>/);
  assert.match(rowOf(fabrikam), /paused.*blocked/);
  assert.match(rowOf(tailspin), />no</);
  for (const { tenantId, registered, refused: letters } of index.tenantCounts())
    assert.match(
      rowOf(tenantId),
      new RegExp(`(?:${registered} registered|>0<).*(?:${letters} refused|>0<)`, "s"),
    );
});

test("where nothing is known of the workers, that is said, and what to type", async (t) => {
  const { get } = await consoleFor(t, { workers: [] });
  const text = await (await get("/console")).text();
  assert.match(text, /Nothing is known of the workers here/);
  assert.match(text, /export SERVE_WORKERS=/);
});

test("while the index is not open, each page says so, and none fails", async (t) => {
  const { get } = await consoleFor(t, { parts: { index: () => null } });
  for (const path of paths.slice(0, -1)) {
    const response = await get(path);
    assert.deepEqual(
      [response.status, /index is not open yet/.test(await response.text())],
      [200, true],
      path,
    );
  }
});

test("those who listen hear of a change, of nothing else, and are let go when the service stops", async (t) => {
  const console = await consoleFor(t);
  const response = await console.get("/console/live");
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.equal(response.headers.get("cache-control"), "no-store");
  let heard = "";
  const reading = (async () => {
    for await (const chunk of response.body!) heard += Buffer.from(chunk as Uint8Array);
  })();
  await until(() => heard.includes("retry:"));
  console.at(endMs, { topic: "enrolled", partition: 0, key: null, value: Buffer.from("{"), headers: [] });
  const [open] = console.index.search({ state: "waiting", limit: 1 }).rows;
  const event = console.memory.records("enrolled", open!.position!.partition)[open!.position!.offset]!;
  console.at(endMs, refused(event, refusal("value-not-json", "x", []), endMs));
  // Between two looks.
  await until(async () => {
    await console.read();
    return heard.includes("event: change");
  });
  await console.service.stop(1_000);
  await reading;
});

test("the number of listeners is limited; each that leaves makes room", async (t) => {
  const console = await consoleFor(t, { empty: true });
  const stops: AbortController[] = [];
  const listen = async () => {
    const stop = new AbortController();
    stops.push(stop);
    return (await console.get("/console/live", { signal: stop.signal })).status;
  };
  for (let n = 0; n < consoleLimits.streams; n++) assert.equal(await listen(), 200);
  assert.equal(await listen(), 503);
  stops[0]!.abort();
  await until(async () => (await listen()) === 200);
  for (const stop of stops) stop.abort();
});
