/** `--out DIR`: the topics and Graph's objects as files, so that anyone can count for himself. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recordJson } from "../src/cli/record-json.ts";
import type { LogRecord } from "../src/ports.ts";
import type { DemoOutcome } from "./verify.ts";

/** Throws the system's error when the directory can't be written. */
export function writeOutFiles(directory: string, outcome: DemoOutcome): void {
  mkdirSync(directory, { recursive: true });
  const lines = (records: readonly LogRecord[]) =>
    records.map((record) => `${JSON.stringify(recordJson(record))}\n`).join("");
  writeFileSync(join(directory, "enrolled.jsonl"), lines(outcome.enrolled));
  writeFileSync(join(directory, "registered.jsonl"), lines(outcome.registered));
  writeFileSync(join(directory, "dlq.jsonl"), lines(outcome.deadLetters));
  writeFileSync(join(directory, "graph.json"), `${JSON.stringify(outcome.inventory, null, 1)}\n`);
}
