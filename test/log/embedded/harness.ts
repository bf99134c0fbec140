/** An embedded log in a directory of its own, for the tests beside this file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { systemClock } from "../../../src/clock.ts";
import { type EmbeddedOpening, openEmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import { HighWaterMark } from "../../../src/log/embedded/high-water-mark.ts";
import { prepareSchema } from "../../../src/log/embedded/schema.ts";
import { Store } from "../../../src/log/embedded/store.ts";
import type { Topic } from "../../../src/ports.ts";
import type { Features, Harness, Log } from "../../contracts/event-log/harness.ts";

export type OpenLog = Log & { close(): Promise<void> };

const partitionCount = 3;

export const features: Features = {
  groups: false,
  expires: false,
  headerOrderAcrossNames: true,
  timeoutMs: 20_000,
};

export interface Workspace {
  readonly dataDir: string;
  /** Opens the log of `dataDir`, as a process of its own would. */
  open(): Promise<OpenLog>;
  /** Closes all logs and removes the directory. */
  remove(): Promise<void>;
}

function makeWorkspace(flushesBehind = false): Workspace {
  const dataDir = mkdtempSync(join(tmpdir(), "embedded-log-"));
  const logs: OpenLog[] = [];
  return {
    dataDir,
    async open() {
      const opening = await tryOpen(dataDir, flushesBehind);
      assert.ok(opening.ok, opening.ok ? "" : opening.problem.message);
      logs.push(opening.log);
      return opening.log;
    },
    async remove() {
      for (const log of logs) await log.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A workspace that goes when the test ends. `keep`: the test removes it. */
export function workspaceOf(t: TestContext, options = { keep: false }): Workspace {
  const workspace = makeWorkspace();
  if (!options.keep) t.after(() => workspace.remove());
  return workspace;
}

export function tryOpen(dataDir: string, flushesBehind = false): Promise<EmbeddedOpening> {
  return openEmbeddedLog({ dataDir, partitionCount, flushesBehind }, systemClock);
}

/** What the retention of a later version would do: there is none yet. */
function trim(
  dataDir: string,
  { topic, partition }: { readonly topic: Topic; readonly partition: number },
  beforeOffset: number,
): void {
  const db = new DatabaseSync(join(dataDir, "log.db"), { timeout: 1000 });
  db.exec(`
    BEGIN IMMEDIATE;
    DELETE FROM ${topic}_${partition} WHERE offset < ${beforeOffset};
    UPDATE bounds SET log_start = ${beforeOffset} WHERE topic = '${topic}' AND partition = ${partition};
    COMMIT;
  `);
  db.close();
}

export async function openHarness(flushesBehind = false): Promise<Harness> {
  const { dataDir, open, remove } = makeWorkspace(flushesBehind);
  return {
    log: await open(),
    clock: systemClock,
    another: open,
    trim: async (topic, partition, beforeOffset) => trim(dataDir, { topic, partition }, beforeOffset),
    close: remove,
  };
}

/** The store of a new log and its mark, without the log around them; both are closed at the end. */
export function storeOf(t: TestContext) {
  const { dataDir } = workspaceOf(t);
  const file = join(dataDir, "log.db");
  const db = new DatabaseSync(file);
  assert.equal(prepareSchema(db, file, 1), null);
  const store = new Store(db);
  const mark = new HighWaterMark(join(dataDir, "log.head"));
  t.after(() => {
    store.close();
    mark.close();
  });
  return { file, db, store, mark };
}
