/** Prometheus's own checker, where it is installed (Debian's package `prometheus`). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

/** For a test's `skip` option: false when there is one; with REQUIRE_PROMTOOL=1 a missing one is a failure. */
export function skipWithoutPromtool(): string | false {
  if (spawnSync("promtool", ["--version"]).status === 0) return false;
  assert.notEqual(
    process.env.REQUIRE_PROMTOOL,
    "1",
    "REQUIRE_PROMTOOL=1, but there is no promtool on the PATH",
  );
  return "no promtool on the PATH";
}
