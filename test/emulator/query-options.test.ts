import assert from "node:assert/strict";
import { test } from "node:test";
import { collection, emulatorFor, example, tenantA } from "./support.ts";

/** Machines in order of creation; the instants go the other way, but for the offset of the third. */
const machines: readonly [machineName: string, enrollmentDateTime: string][] = [
  ["host-b", "2026-01-04T00:00:00Z"],
  ["host-a", "2026-01-03T00:00:00Z"],
  ["it's c", "2026-01-03T01:00:00+02:00"],
  ["other", "2026-01-01T00:00:00.0000001Z"],
  ["host-a", "2026-01-01T00:00:00Z"],
];

async function listing(t: Parameters<typeof emulatorFor>[0], queryOptions = true) {
  const client = await emulatorFor(t, { behaviour: { queryOptions } }, "http");
  const send = await client.as(tenantA);
  for (const [machineName, enrollmentDateTime] of machines)
    await send("POST", collection, { ...example, machineName, enrollmentDateTime });
  const ask = (query: Readonly<Record<string, string>>) =>
    send("GET", `${collection}?${new URLSearchParams(query)}`);
  const machinesOf = async (query: Readonly<Record<string, string>>): Promise<string[]> => {
    const { status, json, text } = await ask(query);
    assert.equal(status, 200, text);
    return json.value.map((object: { machineName: string }) => object.machineName);
  };
  return { ...client, send, ask, machinesOf };
}

const filters: readonly [filter: string, found: readonly string[]][] = [
  ["machineName eq 'host-a'", ["host-a", "host-a"]],
  ["machineName ne 'host-a'", ["host-b", "it's c", "other"]],
  ["machineName eq 'it''s c'", ["it's c"]],
  ["machineName eq 'HOST-A'", []],
  ["startswith(machineName,'host')", ["host-b", "host-a", "host-a"]],
  ["endswith(machineName, '-b')", ["host-b"]],
  ["contains(machineName,'th')", ["other"]],
  ["enrollmentDateTime ge 2026-01-03T00:00:00Z", ["host-b", "host-a"]],
  ["enrollmentDateTime eq 2026-01-02T23:00:00Z", ["it's c"]],
  ["enrollmentDateTime gt 2026-01-01T00:00:00Z and enrollmentDateTime lt 2026-01-02T00:00:00Z", ["other"]],
  [
    "machineName eq 'other' or machineName eq 'host-a' and enrollmentDateTime le 2026-01-01T00:00:00Z",
    ["other", "host-a"],
  ],
];
test("a filter leaves those that it is true of; and binds before or, date-times are instants", async (t) => {
  const { machinesOf } = await listing(t);
  for (const [filter, found] of filters)
    assert.deepEqual(await machinesOf({ $filter: filter }), found, filter);
});

test("an order is by name or by instant, up or down, and by creation among equal ones", async (t) => {
  const { machinesOf } = await listing(t);
  const byName = ["host-a", "host-a", "host-b", "it's c", "other"];
  assert.deepEqual(await machinesOf({ $orderby: "machineName" }), byName);
  assert.deepEqual(await machinesOf({ $orderby: "machineName desc" }), byName.toReversed());
  const byTime = ["host-a", "other", "it's c", "host-a", "host-b"];
  assert.deepEqual(await machinesOf({ $orderby: "enrollmentDateTime asc" }), byTime);
  const { json } = await (await listing(t)).ask({
    $orderby: "machineName,enrollmentDateTime desc",
    $top: "2",
  });
  const times = json.value.map((object: { enrollmentDateTime: string }) => object.enrollmentDateTime);
  assert.deepEqual(times, ["2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z"]);
});

test("a selection leaves the other properties out, of lists and of one object", async (t) => {
  const { ask, send } = await listing(t);
  const { json } = await ask({ $select: "id,machineName", $top: "1" });
  assert.deepEqual(Object.keys(json.value[0]), ["@odata.type", "id", "machineName"]);
  assert.match(json["@odata.context"], /certificateConnectorDetails\(id,machineName\)$/);
  const one = await send("GET", `${collection}/${json.value[0].id}?$select=machineName`);
  assert.deepEqual(Object.keys(one.json), ["@odata.context", "@odata.type", "machineName"]);
});

test("the count is of all that the filter leaves, and the link to the next page carries the options on", async (t) => {
  const { ask, send } = await listing(t);
  const query = {
    $filter: "startswith(machineName,'host')",
    $orderby: "machineName desc",
    $top: "1",
    $count: "true",
  };
  const seen: string[] = [];
  let page = (await ask(query)).json;
  for (;;) {
    assert.equal(page["@odata.count"], 3);
    assert.ok(page.value.length <= 1);
    seen.push(...page.value.map((object: { machineName: string }) => object.machineName));
    if (page["@odata.nextLink"] === undefined) break;
    page = (await send("GET", page["@odata.nextLink"])).json;
  }
  assert.deepEqual(seen, ["host-b", "host-a", "host-a"]);
});

test("objects that go between two pages of an order move nothing", async (t) => {
  const { ask, send } = await listing(t);
  const first = (await ask({ $orderby: "enrollmentDateTime desc", $top: "2" })).json;
  for (const { id } of first.value) assert.equal((await send("DELETE", `${collection}/${id}`)).status, 204);
  const second = (await send("GET", first["@odata.nextLink"])).json;
  assert.deepEqual(
    second.value.map((object: { machineName: string }) => object.machineName),
    ["it's c", "other"],
  );
});

test("the size of a page is carried on without the switch, too", async (t) => {
  const { ask, send } = await listing(t, false);
  const first = (await ask({ $top: "2" })).json;
  const second = (await send("GET", first["@odata.nextLink"])).json;
  assert.deepEqual([first.value.length, second.value.length], [2, 2]);
});

const refusals: readonly [query: Readonly<Record<string, string>>, message: RegExp][] = [
  [{ $select: "color" }, /property named 'color' on type 'microsoft.graph.certificateConnectorDetails'/],
  [{ $orderby: "color" }, /property named 'color'/],
  [{ $orderby: "machineName upwards" }, /asc or desc/],
  [{ $orderby: "machineName,machineName desc" }, /more than once/],
  [{ $count: "yes" }, /true or false/],
  [{ $top: "0" }, /1 to 1000/],
  [{ $expand: "all" }, /'\$expand' is not supported/],
  [{ $filter: "" }, /ends too early/],
  [{ $filter: "color eq 'red'" }, /property named 'color'/],
  [{ $filter: "machineName like 'x'" }, /'like' is not expected/],
  [{ $filter: "machineName eq host" }, /text in single quotes/],
  [{ $filter: "machineName eq 'x" }, /quote that belongs nowhere/],
  [{ $filter: "machineName eq 'x' and" }, /ends too early/],
  [{ $filter: "machineName eq 'x' xor id eq 'y'" }, /'xor' is not expected/],
  [{ $filter: "not (machineName eq 'x')" }, /'not' is not expected/],
  [{ $filter: "enrollmentDateTime ge '2026-01-01T00:00:00Z'" }, /date-time, without quotes/],
  [{ $filter: "enrollmentDateTime ge 2026-02-30T00:00:00Z" }, /date-time, without quotes/],
  [{ $filter: Array(21).fill("id eq 'x'").join(" or ") }, /more than 20/],
  [{ $filter: `id eq '${"x".repeat(2_048)}'` }, /longer than 2048/],
  [{ $orderby: "id", $skiptoken: "YWZ0ZXI6MQ" }, /skiptoken/],
];
test("what makes no sense is 400 with Graph's form of an error, and says what", async (t) => {
  const { ask } = await listing(t);
  for (const [query, message] of refusals) {
    const { status, json } = await ask(query);
    assert.deepEqual([status, json.error?.code], [400, "BadRequest"], JSON.stringify(query));
    assert.match(json.error.message, message);
    assert.ok(json.error.innerError["request-id"]);
  }
});

test("without the switch all but $top is refused, of one object too; it is turned on while it runs", async (t) => {
  const { ask, send } = await listing(t, false);
  for (const name of ["$select", "$count", "$orderby", "$filter"]) {
    const { status, json } = await ask({ [name]: "id" });
    assert.equal(status, 400);
    assert.match(json.error.message, /not supported here/);
  }
  const { id } = (await ask({})).json.value[0];
  assert.equal((await send("GET", `${collection}/${id}?$select=id`)).status, 400);
  await send("PUT", "/_control/settings", { queryOptions: true });
  assert.equal((await send("GET", `${collection}/${id}?$select=id`)).status, 200);
});
