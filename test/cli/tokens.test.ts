/** `tokens`, as an operator types it. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tokenHash } from "../../src/server/auth/tokens-file.ts";
import { jsonLines, runCli, temporaryDirectory } from "./run-cli.ts";

const tenant = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";

test("create prints a token once and stores its hash alone; list shows it, revoke takes it back", async (t) => {
  const TOKENS_FILE = join(temporaryDirectory(t), "deep", "tokens.json");
  const created = await runCli(
    ["tokens", "create", "--name", "site-1", "--tenant", tenant, "--expires", "90d"],
    {
      TOKENS_FILE,
    },
  );
  assert.equal(created.code, 0, created.stderr);
  const token = created.stdout.trim();
  assert.match(token, /^crt_[A-Za-z0-9_-]{43}$/);
  const text = readFileSync(TOKENS_FILE, "utf8");
  assert.ok(!text.includes(token) && text.includes(tokenHash(token)));
  assert.equal(statSync(TOKENS_FILE).mode & 0o777, 0o600);
  const listed = await runCli(["tokens", "list", "--json"], { TOKENS_FILE });
  const [entry] = jsonLines(listed.stdout);
  assert.deepEqual([entry!.name, entry!.tenants, entry!.expired], ["site-1", [tenant], false]);
  assert.ok(!listed.stdout.includes(tokenHash(token)));
  const revoked = await runCli(["tokens", "revoke", "site-1"], { TOKENS_FILE });
  assert.equal(revoked.code, 0, revoked.stderr);
  assert.deepEqual(JSON.parse(readFileSync(TOKENS_FILE, "utf8")), { tokens: [] });
});

test("two that create at the same time: both tokens are there, or one is asked to wait", async (t) => {
  const TOKENS_FILE = join(temporaryDirectory(t), "tokens.json");
  const names = ["a", "b", "c"];
  const all = await Promise.all(
    names.map((name) => runCli(["tokens", "create", "--name", name, "--tenant", "*"], { TOKENS_FILE })),
  );
  const stored = JSON.parse(readFileSync(TOKENS_FILE, "utf8")).tokens.map(
    ({ name }: { name: string }) => name,
  );
  for (const [at, { code, stderr }] of all.entries()) {
    assert.equal(code === 0, stored.includes(names[at]), stderr);
    if (code !== 0) assert.match(stderr, /Another command changes the tokens/);
  }
});

for (const [what, args, expected] of [
  ["no name", ["create", "--tenant", tenant], /--name/],
  ["not a GUID", ["create", "--name", "a", "--tenant", "x"], /"x" is not a GUID/],
  ["no time", ["create", "--name", "a", "--tenant", "*", "--expires", "soon"], /90d/],
  ["a name that is not there", ["revoke", "nobody"], /tokens list/],
] as const) {
  test(`${what}: exit 2, and what to type`, async (t) => {
    const TOKENS_FILE = join(temporaryDirectory(t), "tokens.json");
    const { code, stdout, stderr } = await runCli(["tokens", ...args], { TOKENS_FILE });
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, expected);
  });
}

test("without TOKENS_FILE, or with one that is malformed: exit 2, and nothing is changed", async (t) => {
  const without = await runCli(["tokens", "list"]);
  assert.equal(without.code, 2);
  assert.match(without.stderr, /TOKENS_FILE.*\n.*export TOKENS_FILE=/);
  const TOKENS_FILE = join(temporaryDirectory(t), "tokens.json");
  writeFileSync(TOKENS_FILE, "{");
  const { code, stderr } = await runCli(["tokens", "create", "--name", "a", "--tenant", "*"], {
    TOKENS_FILE,
  });
  assert.equal(code, 2);
  assert.match(stderr, /is not JSON/);
  assert.equal(readFileSync(TOKENS_FILE, "utf8"), "{");
});

test("an operator's token is for all tenants; one that enrolls needs its own", async (t) => {
  const TOKENS_FILE = join(temporaryDirectory(t), "tokens.json");
  const create = (...args: string[]) => runCli(["tokens", "create", "--name", "x", ...args], { TOKENS_FILE });
  const half = await create("--role", "operator", "--tenant", tenant);
  assert.deepEqual([half.code, /operator-tenants|can't be for some/.test(half.stderr)], [2, true]);
  const bare = await create();
  assert.deepEqual([bare.code, /needs its tenants/.test(bare.stderr)], [2, true]);
  const made = await create("--role", "operator");
  assert.deepEqual([made.code, /\/console/.test(made.stderr)], [0, true]);
  const [entry] = JSON.parse(readFileSync(TOKENS_FILE, "utf8")).tokens;
  assert.deepEqual([entry.role, entry.tenants], ["operator", ["*"]]);
  entry.tenants = [tenant];
  writeFileSync(TOKENS_FILE, JSON.stringify({ tokens: [entry] }));
  const listed = await runCli(["tokens", "list"], { TOKENS_FILE });
  assert.deepEqual([listed.code, /an operator sees all/.test(listed.stderr)], [2, true]);
});
