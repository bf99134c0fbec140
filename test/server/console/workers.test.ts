/** What workers say of themselves, as the console hears it. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import { systemClock } from "../../../src/clock.ts";
import { openBlockedTenants } from "../../../src/observe/blocked-tenants.ts";
import { type MeasuredStatus, openMetrics } from "../../../src/observe/metrics.ts";
import { createWorkersView } from "../../../src/server/console/workers.ts";
import { openHealthServer } from "../../../src/server/health-server.ts";
import { until } from "../service-harness.ts";

const status = {
  ...{ ready: false, partitions: [0, 1, 2], inFlight: 5, waiting: 6, parked: 7, ledgerEntries: 8 },
  ...{ breaker: "open" as const, blockedTenants: ["t-1"], lagRecords: 9 },
} satisfies MeasuredStatus;

async function server(t: TestContext, listener: RequestListener): Promise<string> {
  const opened = createServer(listener);
  await new Promise<void>((resolve) => opened.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    opened.closeAllConnections();
    opened.close();
  });
  return `http://127.0.0.1:${(opened.address() as AddressInfo).port}`;
}

test("a worker's own health server tells all of it: reasons, figures, breaker, blocked tenants in Graph's words", async (t) => {
  const blocked = openBlockedTenants({ wallMs: () => 1_000 });
  blocked.observe({ kind: "tenant-blocked", tenantId: "t-1", detail: "403 Forbidden: no consent" });
  const notReady = ["graph: not answering, the circuit breaker is open"];
  const health = await openHealthServer({
    ...{ host: "127.0.0.1", port: 0, metrics: openMetrics("1.2.3", () => status) },
    readiness: () => ({ ready: false, notReady, blockedTenants: blocked.of(status.blockedTenants) }),
  });
  assert.ok(health.ok);
  t.after(() => health.server.close());
  const view = createWorkersView({ clock: systemClock, urls: [`${health.server.url}/`], local: null });
  assert.equal(view.isBlind, false);
  assert.deepEqual(await view.look(), [
    {
      ...{ name: health.server.url, trouble: null, ready: false, notReady },
      figures: {
        partitions: 3,
        lagRecords: 9,
        waiting: 6,
        parked: 7,
        inFlight: 5,
        blockedTenants: 1,
        breaker: "open",
      },
      blocked: [{ tenantId: "t-1", detail: "403 Forbidden: no consent", sinceMs: 1_000 }],
    },
  ]);
});

test("one that is not there, one that is not a worker, one that never ends: each is distinguished, and none delays for long", async (t) => {
  const clock = virtualClock();
  const other = await server(t, (_, response) => response.end("hello"));
  const asked: string[] = [];
  const silent = await server(t, ({ url }) => asked.push(url!));
  const endless = await server(t, (_, response) => {
    const more = () => response.write("x".repeat(65_536)) && setImmediate(more);
    response.on("drain", more);
    more();
  });
  const quick = createWorkersView({ clock, urls: ["http://127.0.0.1:1", other], local: null });
  const [gone, stranger] = await quick.look();
  assert.match(gone!.trouble!, /ECONNREFUSED|bad port/);
  assert.match(stranger!.trouble!, /\/readyz answers 200, and not as a worker does/);
  const looking = createWorkersView({ clock, urls: [silent, endless], local: null }).look();
  await until(() => asked.length === 2);
  clock.advance(2_000);
  const [slow, long] = await looking;
  assert.match(slow!.trouble!, /no answer in time/);
  assert.match(long!.trouble!, /too long|no answer in time/);
});

test("they are asked once for all who look at the same time, and again after two seconds", async () => {
  const clock = virtualClock();
  let asked = 0;
  const fetch = async (url: string) => {
    asked++;
    return new Response(url.endsWith("/readyz") ? '{"ready":true,"notReady":[]}' : "");
  };
  const view = createWorkersView({ clock, urls: ["http://127.0.0.1:9"], local: null, fetch });
  await Promise.all([view.look(), view.look()]);
  assert.equal(asked, 2);
  await view.look();
  assert.equal(asked, 2);
  clock.advance(2_000);
  const [state] = await view.look();
  assert.equal(asked, 4);
  assert.deepEqual([state!.ready, state!.figures, state!.blocked], [true, null, null]);
});

test("a tenant is reported as blocked since its first refusal, until it works again", () => {
  let wallMs = 1_000;
  const blocked = openBlockedTenants({ wallMs: () => wallMs });
  blocked.observe({ kind: "tenant-blocked", tenantId: "t-1", detail: "first" });
  wallMs = 2_000;
  blocked.observe({ kind: "tenant-blocked", tenantId: "t-1", detail: "second" });
  assert.deepEqual(blocked.of(["t-1"]), [{ tenantId: "t-1", detail: "second", sinceMs: 1_000 }]);
  blocked.observe({ kind: "tenant-unblocked", tenantId: "t-1" });
  assert.deepEqual(blocked.of(["t-1"]), [{ tenantId: "t-1", detail: "", sinceMs: 2_000 }]);
});
