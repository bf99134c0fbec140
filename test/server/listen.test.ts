/** What is said of a port that is taken. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { listen } from "../../src/server/http/listen.ts";

async function onTakenPort(t: TestContext, defaultPortOf: (taken: number) => number | null) {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  const variables = { hostVariable: "SERVE_HOST", portVariable: "SERVE_PORT" };
  const place = { host: "127.0.0.1", port, defaultPort: defaultPortOf(port), ...variables };
  const problem = await listen(createServer(), place);
  assert.ok(problem !== null);
  assert.match(problem.fix, /^Type: export SERVE_PORT=0 \(any free port\) or another number/);
  return problem;
}

test("where the default port is taken, nobody is advised to unset the setting", async (t) => {
  const { message, fix } = await onTakenPort(t, (taken) => taken);
  assert.match(message, /^SERVE_PORT=\d+ \(its default\) on 127\.0\.0\.1 is taken/);
  assert.doesNotMatch(fix, /unset/);
});

test("where another port is taken, the advice says what unset leads to", async (t) => {
  const { message, fix } = await onTakenPort(t, () => 8_090);
  assert.doesNotMatch(message, /default/);
  assert.match(fix, /or: unset SERVE_PORT \(then it is 8090\)$/);
  const health = await onTakenPort(t, () => null);
  assert.match(health.fix, /or: unset SERVE_PORT \(nothing listens then\)$/);
});
