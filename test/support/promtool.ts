/** Prometheus's own checker, where it is installed (Debian's package `prometheus`). */
import { spawnSync } from "node:child_process";

/** For a test's `skip` option: false when there is one. REQUIRE_PROMTOOL=1 makes the skip a failure (run-tests.ts). */
export function skipWithoutPromtool(): string | false {
  if (spawnSync("promtool", ["--version"]).status === 0) return false;
  return "no promtool on the PATH";
}
