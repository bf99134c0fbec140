/** What `doctor` finds out about the log under these settings alone. */
import assert from "node:assert/strict";
import { checkLog } from "../../src/cli/doctor/log-check.ts";
import { systemClock } from "../../src/clock.ts";
import { loadSettings } from "../../src/config/load.ts";

export type Environment = Readonly<Record<string, string>>;

export async function findingOf(environment: Environment) {
  const [finding] = await findingsOf(environment);
  return finding!;
}

export function findingsOf(environment: Environment) {
  const loaded = loadSettings({ environment, groups: ["log"], flags: {} });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return checkLog(loaded.settings, systemClock);
}
