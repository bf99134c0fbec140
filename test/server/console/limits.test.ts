/** The table of docs/CONSOLE.md has the limits that the console keeps. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { consoleLimits } from "../../../src/server/console/limits.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/CONSOLE.md"), "utf8");
const minutes = (ms: number) => `${ms / 60_000} minutes`;
const number = (value: number) => value.toLocaleString("en-US");
const { pageRows, pageTenants, streams, sessions, sessionMs, sessionIdleMs, confirmMs, replaysKept } =
  consoleLimits;
const {
  shownCharacters,
  shownBytes,
  replayIdsKept,
  replaysPerSecond,
  exportsKept,
  exportMs,
  workerAnswerMs,
} = consoleLimits;

test("docs/CONSOLE.md has the limits that the console keeps", () => {
  const rows = page.split("<!-- console limits -->")[1]!.matchAll(/^\| ([^|]+) \| ([^|]+) \|/gm);
  const found = [...rows].slice(1).map(([, name, value]) => [name, value]);
  assert.deepEqual(found, [
    ["rows on a page", number(pageRows)],
    ["tenants on a page", number(pageTenants)],
    ["pages kept up to date at a time", number(streams)],
    ["operators signed in at a time", number(sessions)],
    ["a session", `${sessionMs / 3_600_000} hours`],
    ["a session without a request", minutes(sessionIdleMs)],
    [
      "a record's value on its page",
      `${number(shownCharacters)} characters, or ${number(shownBytes)} bytes in hexadecimal`,
    ],
    ["from a dry run to its confirmation", minutes(confirmMs)],
    ["replays remembered", number(replaysKept)],
    ["dead letters of dry runs that may be confirmed, in all", number(replayIdsKept)],
    ["dead letters put back each second", number(replaysPerSecond)],
    ["exports kept", number(exportsKept)],
    ["an export is kept", minutes(exportMs)],
    ["a worker's answer", `${workerAnswerMs / 1_000} seconds`],
  ]);
});
