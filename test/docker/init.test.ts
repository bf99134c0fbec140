/** The image's process 1, on its own: hands on signals, standard input and the exit code. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./engine.ts";

const init = join(root, "docker", "init.sh");

/** A command that says "ready", then reports signals, and ends with 7 at the second one or at the end of its input. */
const reporter = `
  let count = 0;
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"])
    process.on(name, () => { console.log(name); if (++count === 2) process.exit(7); });
  process.stdin.on("data", (bytes) => console.log("input " + bytes)).on("end", () => process.exit(5));
  console.log("ready");`;

function start() {
  const child = spawn("sh", [init, process.execPath, "-e", reporter], { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (bytes) => {
    output += bytes;
  });
  const shown = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => output.includes(text) && resolve();
      child.stdout.on("data", look);
      look();
    });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, shown, ended, output: () => output };
}

test("each signal reaches the command once; the exit code is the command's", async () => {
  const { child, shown, ended, output } = start();
  await shown("ready");
  child.kill("SIGHUP");
  await shown("SIGHUP");
  child.kill("SIGTERM");
  assert.equal(await ended, 7);
  assert.equal(output(), "ready\nSIGHUP\nSIGTERM\n");
});

test("standard input reaches the command, and so does its end", async () => {
  const { child, shown, ended } = start();
  await shown("ready");
  child.stdin.write("line\n");
  await shown("input line");
  child.stdin.end();
  assert.equal(await ended, 5);
});

test("a signal before the command listens ends it, with the signal's code", async () => {
  const child = spawn("sh", [init, "sh", "-c", "echo started; exec sleep 60"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGTERM");
  assert.equal(await new Promise((resolve) => child.once("close", resolve)), 143);
});
