/** Chaos as a process, and the processes that it starts. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { TestContext } from "node:test";
import { skipWithout } from "../../../lab/testkit/broker.ts";
import { type Ended, startCli } from "../../cli/run-cli.ts";
import { lookAgain } from "../../support/look-again.ts";

/** Whether chaos ended because there was no broker; then the test is skipped, unless a broker is required. */
export function isWithoutBroker(t: TestContext, { code, stderr }: Ended): boolean {
  const reason = code === 2 ? /can't start one: (.*)/.exec(stderr)?.[1] : undefined;
  if (reason !== undefined) t.skip(skipWithout({ ok: false, reason }) || undefined);
  return reason !== undefined;
}

export interface ChaosStart {
  readonly options: readonly string[];
  /** It starts this number of processes. */
  readonly leastStarted: number;
  readonly limitMs?: number;
}

/** Ends chaos once something is frozen, and sees to it that all that it started is gone. */
export async function endedBy(
  t: TestContext,
  signal: "SIGINT" | "SIGKILL",
  { options, leastStarted, limitMs }: ChaosStart,
): Promise<void> {
  const chaos = startCli(["chaos", ...options], {}, { limitMs });
  const begun = await Promise.race([chaos.line(/frozen/), chaos.ended]);
  if (typeof begun !== "string") {
    if (isWithoutBroker(t, begun)) return;
    assert.fail(begun.stdout + begun.stderr);
  }
  const started = descendants(chaos.child.pid!);
  assert.ok(started.length >= leastStarted, "the broker, the emulator and the workers");
  chaos.child.kill(signal);
  assert.equal((await chaos.ended).code, signal === "SIGINT" ? 130 : null);
  await areGone(started);
}

/** The watchdogs of a killed process act after its end, and no event shows when. */
export async function areGone(pids: readonly number[]): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (pids.some(isRunning) && performance.now() < endMs) await lookAgain();
  assert.deepEqual(pids.filter(isRunning), []);
}

export function descendants(pid: number): number[] {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const children = pairs.filter(([, parent]) => parent === pid).map(([child]) => child!);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
