/** Dead letters of tenants that a tenants file does not list. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bytes, json, logRecord, sampleEvent, tenantId } from "../../lab/testkit/samples.ts";
import { letter, withLetters } from "./letters-at.ts";
import { runCli } from "./run-cli.ts";

test("a tenant that the tenants file does not list: left out and said, until it is listed; --any-tenant replays it all the same", async (t) => {
  const other = "11111111-2222-4333-8444-555555555555";
  const at = (offset: number, tenantid: string) =>
    logRecord({ offset, key: bytes(tenantid), value: json({ ...sampleEvent, tenantid }) });
  const DATA_DIR = await withLetters(
    t,
    letter(at(1, other), "tenant-not-allowed"),
    letter(at(2, tenantId), "tenant-not-allowed"),
    letter(logRecord({ offset: 3, key: null, value: bytes("{") }), "value-not-json"),
  );
  const TENANTS_FILE = join(DATA_DIR, "tenants.json");
  const listed = (...tenantIds: string[]) =>
    writeFileSync(TENANTS_FILE, JSON.stringify({ tenants: tenantIds.map((id) => ({ tenantId: id })) }));
  const replay = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(["replay", ...args], { DATA_DIR, TENANTS_FILE });
    return {
      code,
      stdout,
      stderr,
      ids: [...stdout.matchAll(/^(?:would replay|replayed) (\S+)/gm)].map(([, id]) => id),
    };
  };
  listed(tenantId.toUpperCase());
  const dry = await replay("--dry-run");
  assert.deepEqual(dry.ids, ["enrolled/3/2", "enrolled/3/3"], dry.stderr);
  assert.match(dry.stdout, /^2 would be replayed .* 1 are of tenants that are not served$/m);
  assert.match(dry.stdout, new RegExp(`^left out: 1 of tenant ${other}, which is not served$`, "m"));
  assert.match(dry.stdout, /Add the tenants to TENANTS_FILE .* then type replay again\.$/m);
  assert.deepEqual((await replay("--any-tenant", "--dry-run")).ids, [
    "enrolled/3/1",
    "enrolled/3/2",
    "enrolled/3/3",
  ]);
  listed(tenantId, other);
  assert.deepEqual((await replay("--tenant", other)).ids, ["enrolled/3/1"]);
  writeFileSync(TENANTS_FILE, "{");
  const bad = await replay("--dry-run");
  assert.deepEqual([bad.code, bad.ids], [2, []]);
  assert.match(bad.stderr, /TENANTS_FILE=.* can't be used/);
});
