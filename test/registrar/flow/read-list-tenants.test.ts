/** Tenants whose lists fail, and how many lists are under way. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { stageOf } from "../life.ts";
import { failed, given, listed, refused } from "./read-list-given.ts";

describe("a tenant whose lists fail", () => {
  test("is stalled from the second failure on, until a whole list comes or none is needed", async () => {
    const { request, answer, clock, list } = given();
    assert.equal(list.isStalled(contoso), false);
    const work = request("A");
    await answer(failed);
    assert.equal(list.isStalled(contoso), false);
    clock.advance(250);
    await answer(failed);
    assert.equal(list.isStalled(contoso), true);
    clock.advance(250);
    await answer(listed());
    assert.equal(list.isStalled(contoso), false);
    for (let n = 0; n < 2; n++) {
      clock.advance(settings.rereadDelayMs);
      await answer(failed);
    }
    assert.equal(list.isStalled(contoso), true);
    work.stage = stageOf("parking");
    clock.advance(settings.rereadDelayMs);
    assert.equal(list.isStalled(contoso), false);
  });

  test("because they are refused is blocked, and is not any more with the first that is whole", async () => {
    const { request, answer, noted, clock } = given();
    request("A");
    await answer(refused);
    assert.deepEqual(noted, [`begin ${contoso}`, `block ${contoso}`, `end ${contoso} well 403`]);
    noted.length = 0;
    clock.advance(250);
    await answer(listed());
    assert.deepEqual(noted, [`begin ${contoso}`, `unblock ${contoso}`, `end ${contoso} well `]);
  });
});

describe("lists of many tenants", () => {
  const tenants = Array.from({ length: 10 }, (_, n) => `tenant ${n}`);

  test("are eight at a time, the others in turn", async () => {
    const { request, asked, answer } = given();
    for (const tenantId of tenants) request(`M ${tenantId}`, { tenantId });
    assert.deepEqual(asked, tenants.slice(0, 8));
    await answer();
    assert.deepEqual(asked, tenants.slice(0, 9));
    await answer();
    assert.deepEqual(asked, tenants);
  });

  test("pass those whose gate is shut, which come first when it opens", () => {
    const { request, asked, shut, wake } = given();
    shut.add("tenant 0").add("tenant 1");
    for (const tenantId of tenants) request(`M ${tenantId}`, { tenantId });
    assert.deepEqual(asked, tenants.slice(2));
    wake();
    assert.equal(asked.length, 8);
  });

  test("that were held go before those that came later", async () => {
    const { request, asked, shut, answer, wake } = given();
    shut.add("tenant 0").add("tenant 1");
    for (const tenantId of tenants) request(`M ${tenantId}`, { tenantId });
    request("late", { tenantId: "late" });
    shut.clear();
    await answer();
    assert.deepEqual(asked.slice(8), ["tenant 0"]);
    await answer();
    wake();
    assert.deepEqual(asked.slice(8), ["tenant 0", "tenant 1"]);
  });
});
