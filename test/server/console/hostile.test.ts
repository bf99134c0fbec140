/** Hostile values: as text on each page, and never a failure of the service. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contoso, keyOf } from "../../../lab/testkit/enrollments.ts";
import { refusal } from "../../../src/domain/refusal.ts";
import { html } from "../../../src/server/console/html.ts";
import { shown, shownLines } from "../../../src/server/console/shown.ts";
import { consoleFor, endMs, paths, refused } from "./harness.ts";

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

test("invisible characters are written out, and long values are cut, with their length", () => {
  assert.equal(
    shown("a\u202eb\u0000\u200b").text,
    '<bdi>a<span class="unseen">\\u202e</span>b<span class="unseen">\\u0000</span><span class="unseen">\\u200b</span></bdi>',
  );
  assert.equal(shown("\ud800").text, '<bdi><span class="unseen">\\ud800</span></bdi>');
  assert.match(shown("x".repeat(100_000)).text, /^<bdi>x{120}<\/bdi>.*100,000 characters in all/);
  assert.match(shownLines("a\n\tb\u2028", 100).text, /a\n\tb<span class="unseen">\\u2028/);
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
