import assert from "node:assert/strict";
import { test } from "node:test";
import {
  applyCreate,
  applyDelete,
  applyGet,
  applyList,
  applyUpdate,
  inventoryOf,
  type Model,
  newModel,
} from "../../emulator/model.ts";
import { seededRandom } from "../../emulator/random.ts";
import type { Reply } from "../../emulator/reply.ts";
import { callOf, example, tenantA, tenantB } from "./support.ts";

const id = "104d7361-7361-104d-6173-4d1061734d10";
// biome-ignore lint/suspicious/noExplicitAny: bodies of any shape
const bodyOf = (reply: Reply) => reply.body as any;
const random = seededRandom(9);
const call = (tenantId = tenantA, nowMs = 0) => callOf(tenantId, nowMs, random);

function modelWith(count: number): Model {
  const model = newModel();
  for (let index = 0; index < count; index += 1) {
    const reply = applyCreate(model, call(tenantA, index), {
      body: { ...example, machineName: `m${index}` },
      idMode: "honour",
    });
    assert.equal(reply.status, 201);
  }
  return model;
}

test("a create answers the object, date-times to the last digit, and where it is", () => {
  const model = newModel();
  const reply = applyCreate(model, call(), { body: { ...example, id }, idMode: "honour" });
  assert.equal(reply.status, 201);
  const { "@odata.context": context, ...rest } = bodyOf(reply);
  assert.deepEqual(rest, { ...example, id });
  assert.match(context, /#deviceManagement\/certificateConnectorDetails\/\$entity$/);
  assert.equal(
    reply.headers.Location,
    `https://graph.example/beta/deviceManagement/certificateConnectorDetails('${id}')`,
  );
  const { "@odata.type": _, ...details } = example;
  assert.deepEqual(inventoryOf(model), { [tenantA]: [{ id, ...details }] });
});

test("a random id that is taken is drawn again", () => {
  const model = newModel();
  const createWith = (seed: number) =>
    bodyOf(applyCreate(model, callOf(tenantA, 0, seededRandom(seed)), { body: example, idMode: "ignore" }))
      .id;
  const ids = [createWith(4), createWith(4), createWith(4)];
  assert.equal(new Set(ids).size, 3, ids.join());
});

test("an id that is honoured and taken is a conflict, and changes nothing", () => {
  const model = newModel();
  applyCreate(model, call(), { body: { ...example, id }, idMode: "honour" });
  const before = inventoryOf(model);
  const reply = applyCreate(model, call(), {
    body: { ...example, id, machineName: "other" },
    idMode: "honour",
  });
  assert.deepEqual([reply.status, bodyOf(reply).error.code], [409, "Conflict"]);
  assert.deepEqual(inventoryOf(model), before);
  assert.equal(model.createdCount, 1);
});

test("the same id in another tenant is another object", () => {
  const model = newModel();
  assert.equal(applyCreate(model, call(tenantA), { body: { ...example, id }, idMode: "honour" }).status, 201);
  assert.equal(applyGet({ model, call: call(tenantB) }, id, { wrapped: false, select: null }).status, 404);
  assert.equal(applyCreate(model, call(tenantB), { body: { ...example, id }, idMode: "honour" }).status, 201);
});

test("an id that is ignored yields an object with an id of the server, each time", () => {
  const model = newModel();
  const ids = [1, 2].map(
    () => bodyOf(applyCreate(model, call(), { body: { ...example, id }, idMode: "ignore" })).id,
  );
  assert.notEqual(ids[0], ids[1]);
  assert.equal(ids.includes(id), false);
  assert.equal(model.createdCount, 2);
});

test("an id that is refused is 400; without one the same server creates", () => {
  const model = newModel();
  const refused = applyCreate(model, call(), { body: { ...example, id }, idMode: "refuse" });
  assert.deepEqual([refused.status, bodyOf(refused).error.code], [400, "BadRequest"]);
  assert.equal(model.createdCount, 0);
  assert.equal(applyCreate(model, call(), { body: example, idMode: "refuse" }).status, 201);
});

const badBodies: [string, unknown][] = [
  ["no object", []],
  ["null", null],
  ["an unknown property", { ...example, colour: "red" }],
  ["a property of the wrong type", { ...example, connectorName: 5 }],
  ["null as a property", { ...example, machineName: null }],
  ["a date-time without offset", { ...example, enrollmentDateTime: "2016-12-31T23:57:59" }],
  ["an impossible date", { ...example, lastCheckinDateTime: "2017-02-30T00:00:00Z" }],
  ["another type", { ...example, "@odata.type": "#microsoft.graph.ndesConnector" }],
  ["a missing property", { ...example, connectorVersion: undefined }],
  ["an empty id", { ...example, id: "" }],
  ["an id that could break a header", { ...example, id: "a\r\nb: c" }],
];
for (const [what, body] of badBodies) {
  test(`a create with ${what} is 400`, () => {
    const model = newModel();
    const reply = applyCreate(model, call(), { body: JSON.parse(JSON.stringify(body)), idMode: "honour" });
    assert.deepEqual([reply.status, bodyOf(reply).error.code], [400, "BadRequest"]);
    assert.deepEqual(Object.keys(bodyOf(reply).error.innerError), [
      "date",
      "request-id",
      "client-request-id",
    ]);
    assert.equal(model.createdCount, 0);
  });
}

test("pages hold everything once, in order of creation", () => {
  const model = modelWith(25);
  const machines: string[] = [];
  const sizes: number[] = [];
  let skipToken: string | null = null;
  do {
    const body = bodyOf(applyList(model, call(tenantA, 100), { listLagMs: 0, pageSize: 10, skipToken }));
    sizes.push(body.value.length);
    machines.push(...body.value.map((object: { machineName: string }) => object.machineName));
    const next: string | undefined = body["@odata.nextLink"];
    skipToken = next === undefined ? null : new URL(next).searchParams.get("$skiptoken");
  } while (skipToken !== null);
  assert.deepEqual(sizes, [10, 10, 5]);
  assert.deepEqual(
    machines,
    Array.from({ length: 25 }, (_, index) => `m${index}`),
  );
});

test("a full last page has no next link", () => {
  const body = bodyOf(
    applyList(modelWith(10), call(tenantA, 100), { listLagMs: 0, pageSize: 10, skipToken: null }),
  );
  assert.equal(body["@odata.nextLink"], undefined);
  assert.equal(body.value.length, 10);
});

test("deleting between pages neither skips nor repeats", () => {
  const model = modelWith(6);
  const first = bodyOf(applyList(model, call(tenantA, 100), { listLagMs: 0, pageSize: 3, skipToken: null }));
  assert.equal(applyDelete(model, call(), first.value[1].id).status, 204);
  const skipToken = new URL(first["@odata.nextLink"]).searchParams.get("$skiptoken");
  const second = bodyOf(applyList(model, call(tenantA, 100), { listLagMs: 0, pageSize: 3, skipToken }));
  assert.deepEqual(
    second.value.map((object: { machineName: string }) => object.machineName),
    ["m3", "m4", "m5"],
  );
});

test("a token that no page gave out is 400", () => {
  const reply = applyList(modelWith(1), call(), { listLagMs: 0, pageSize: 3, skipToken: "x" });
  assert.equal(reply.status, 400);
});

test("a list shows an object once it is old enough; a get sees it immediately", () => {
  const model = newModel();
  applyCreate(model, call(tenantA, 1_000), { body: { ...example, id }, idMode: "honour" });
  const listed = (nowMs: number) =>
    bodyOf(applyList(model, call(tenantA, nowMs), { listLagMs: 500, pageSize: 10, skipToken: null })).value
      .length;
  assert.equal(listed(1_499), 0);
  assert.equal(
    applyGet({ model, call: call(tenantA, 1_000) }, id, { wrapped: false, select: null }).status,
    200,
  );
  assert.equal(listed(1_500), 1);
});

test("get wraps the object where asked to", () => {
  const model = newModel();
  applyCreate(model, call(), { body: { ...example, id }, idMode: "honour" });
  assert.deepEqual(applyGet({ model, call: call() }, id, { wrapped: true, select: null }).body, {
    value: { ...example, id },
  });
});

test("update changes what is given, and never the id", () => {
  const model = newModel();
  applyCreate(model, call(), { body: { ...example, id }, idMode: "honour" });
  assert.equal(applyUpdate(model, { call: call(), id }, { body: { connectorVersion: "2" } }).status, 200);
  assert.equal(inventoryOf(model)[tenantA]![0]!.connectorVersion, "2");
  assert.equal(inventoryOf(model)[tenantA]![0]!.machineName, example.machineName);
  assert.equal(applyUpdate(model, { call: call(), id }, { body: { id: "other" } }).status, 400);
  assert.equal(applyUpdate(model, { call: call(), id: "other" }, { body: {} }).status, 404);
});

test("a deleted object is gone, and its id free", () => {
  const model = newModel();
  applyCreate(model, call(), { body: { ...example, id }, idMode: "honour" });
  assert.equal(applyDelete(model, call(), id).status, 204);
  assert.equal(applyDelete(model, call(), id).status, 404);
  assert.deepEqual(inventoryOf(model), { [tenantA]: [] });
  assert.equal(applyCreate(model, call(), { body: { ...example, id }, idMode: "honour" }).status, 201);
  assert.equal(model.createdCount, 2);
});
