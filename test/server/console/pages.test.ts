/** The pages as text: their policy, hostile values, search, records, and word of changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Script } from "node:vm";
import fc from "fast-check";
import { contoso, fabrikam, keyOf, tailspin } from "../../../lab/testkit/enrollments.ts";
import { refusal } from "../../../src/domain/refusal.ts";
import { scriptText } from "../../../src/server/console/assets/script.ts";
import { html } from "../../../src/server/console/html.ts";
import { consoleLimits } from "../../../src/server/console/limits.ts";
import { shown, shownLines } from "../../../src/server/console/shown.ts";
import { until } from "../service-harness.ts";
import { consoleFor, endMs, refused, troubled } from "./harness.ts";

const paths = [
  "/console",
  "/console/enrollments",
  "/console/letters",
  "/console/tenants",
  "/console/audit",
  "/console/replays",
  "/console/nothing",
];

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

test("whatever a value holds, it is text: in elements and in attributes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      for (const { text } of [
        html`<p>${value}</p>`,
        html`<p>${shown(value)}</p>`,
        html`<p>${shownLines(value, 50)}</p>`,
      ]) {
        const own = text.replace(/<\/?(?:p|bdi|span)(?: class="[a-z]+")?>/g, "");
        assert.doesNotMatch(own, /[<>"']/);
        assert.ok(text.isWellFormed());
      }
      const { text } = html`<input value="${value}">`;
      assert.match(text, /^<input value="[^"<>]*">$/s);
    }),
    { numRuns: 2_000 },
  );
});

test("what nobody could see is written out, and what is long is cut, with its length", () => {
  assert.equal(
    shown("a\u202eb\u0000\u200b").text,
    '<bdi>a<span class="unseen">\\u202e</span>b<span class="unseen">\\u0000</span><span class="unseen">\\u200b</span></bdi>',
  );
  assert.equal(shown("\ud800").text, '<bdi><span class="unseen">\\ud800</span></bdi>');
  assert.match(shown("x".repeat(100_000)).text, /^<bdi>x{120}<\/bdi>.*100,000 characters in all/);
  assert.match(shownLines("a\n\tb\u2028", 100).text, /a\n\tb<span class="unseen">\\u2028/);
});

test("a search takes every criterion, says what is wrong with one, and goes on page by page", async (t) => {
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

test("a story of one that was refused: reason, request-id, record in hexadecimal where it is no text", async (t) => {
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

test("hostile values of an event are shown as text, on each page that shows them", async (t) => {
  const console = await consoleFor(t);
  const attack = `<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202egnp.exe`;
  const value = Buffer.from(
    JSON.stringify({
      ...{ specversion: "1.0", id: attack, source: "/x", type: "connector.enrolled", tenantid: contoso },
      data: {
        ...{ connectorName: attack, machineName: attack, enrollmentDateTime: "2026-01-01T00:00:00Z" },
        ...{ lastCheckinDateTime: "2026-01-01T00:00:00Z", connectorVersion: "6" },
      },
    }),
  );
  const event = console.at(endMs, {
    topic: "enrolled",
    partition: 0,
    key: Buffer.from(attack),
    value,
    headers: [[attack, Buffer.from(attack)]],
  });
  const why = { ...refusal("value-not-json", attack, [attack]), code: attack };
  console.at(endMs, refused(event, why, endMs));
  await console.read();
  const key = keyOf({ machine: attack, connector: attack, at: "2026-01-01T00:00:00Z" });
  assert.ok(console.index.find(key) !== null);
  const query = new URLSearchParams({ machine: attack, code: attack });
  for (const path of [
    ...paths,
    `/console/enrollment?id=${key}`,
    `/console/enrollments?${query}`,
    `/console/letters?${query}`,
  ]) {
    const text = await (await console.get(path)).text();
    // What was typed is typed again, as it was.
    assert.doesNotMatch(
      text.replace(/ value="[^"]*"/g, ""),
      /<img|<script>|onerror=alert\(1\)>|\u202e/,
      path,
    );
  }
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

test("so many listen at the most; each that goes makes room", async (t) => {
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

test("whatever is typed into an address or a form, the answer is a page, and never a failure of the service", async (t) => {
  const { get, post, notes, memory } = await consoleFor(t);
  const names = [
    "tenant",
    "key",
    "since",
    "until",
    "after",
    "id",
    "code",
    "state",
    "machine",
    "event",
    "graph",
    "by",
    "again",
    "format",
    "to",
    "token",
  ];
  const values = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom(
      "9999999d",
      "1-1",
      "-1",
      "2026-13-45",
      "+275760-09-14",
      "enrolled/0/0",
      "enrolled/99/1e9",
      "dlq/-1/x",
      contoso,
      "reason",
      "yes",
      "*",
    ),
  );
  const parameters = fc.array(fc.tuple(fc.constantFrom(...names), values), { maxLength: 5 });
  const forms = [
    "/console/replays",
    "/console/replays/x/confirm",
    "/console/audit",
    "/console/sign-in",
    "/console/sign-out",
  ];
  const target = fc.tuple(
    fc.constantFrom(...paths, "/console/enrollment", "/console/sign-in", ...forms),
    parameters,
  );
  await fc.assert(
    fc.asyncProperty(target, async ([path, pairs]) => {
      const query = new URLSearchParams(pairs);
      const answer = forms.includes(path) ? await post(path, query) : await get(`${path}?${query}`);
      await answer.arrayBuffer();
      assert.ok([200, 303, 400, 401, 404, 409].includes(answer.status), `${answer.status} ${path}?${query}`);
    }),
    { numRuns: 400 },
  );
  assert.deepEqual(
    notes.filter(({ level }) => level === "error"),
    [],
  );
  assert.equal(memory.appends.length, 0);
});
