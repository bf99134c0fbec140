import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateCommand } from "../../../lab/simulation/command.ts";

async function run(...args: string[]) {
  const lines: string[] = [];
  const exitCode = await simulateCommand(args, (line) => lines.push(line));
  return { exitCode, lines, last: lines.at(-1) };
}

/** Threads that load all of it, on a busy machine too. */
const slow = { timeout: 240_000 };

test("seeds that pass: exit code 0, and the count as the last line", slow, async () => {
  const { exitCode, last } = await run("--seeds", "6", "--workers", "2");
  assert.equal(last, "6 passed, 0 failed");
  assert.equal(exitCode, 0);
});

test("a seed that fails: exit code 1, and the line that shows it again", slow, async () => {
  const { exitCode, lines, last } = await run("--seeds", "40", "--sabotage", "machine-order");
  assert.equal(exitCode, 1);
  assert.match(last!, /^\d+ passed, 10 failed$/);
  const again = lines.find((line) => line.includes("see it again"));
  const [, seed] = /npm run simulate -- --seed (\d+) --trace --sabotage machine-order$/.exec(again!)!;

  const single = await run("--seed", seed!, "--trace", "--sabotage", "machine-order");
  assert.equal(single.exitCode, 1);
  assert.equal(single.last, "0 passed, 1 failed");
  assert.ok(single.lines.some((line) => line.startsWith("FAILED ") && line.includes("order on one machine")));
  assert.ok(single.lines.some((line) => line.includes("POST #1 ")));
});

test("wrong arguments: exit code 2, what is wrong and what to type", async () => {
  for (const [args, message] of [
    [["--sabotage", "nothing"], /there is no sabotage "nothing". There are: .*settle-time/],
    [["--seeds", "many"], /--seeds takes a whole number, not "many"/],
    [["--seeds", "0"], /at least 1/],
    [["--trace"], /add --seed S/],
    [["--sead", "1"], /--sead/],
  ] as const) {
    const { exitCode, lines, last } = await run(...args);
    assert.equal(exitCode, 2, args.join(" "));
    assert.match(lines[0]!, message);
    assert.match(last!, /--help/);
  }
});

test("--help lists every option and every sabotage", async () => {
  const { exitCode, lines } = await run("--help");
  assert.equal(exitCode, 0);
  for (const word of [
    "--seeds",
    "--seed",
    "--trace",
    "--sabotage",
    "--workers",
    "--keep-going",
    "retry-after",
  ]) {
    assert.ok(lines.join("\n").includes(word), word);
  }
});
