/** `tail`: follows a topic; lines for people on a terminal, JSON lines elsewhere. */
import { Argument, Command, Option } from "commander";
import type { OpenLog } from "../compose.ts";
import type { Group } from "../config/table.ts";
import type { LogRecord, Topic } from "../ports.ts";
import { openCommandLog } from "./command-log.ts";
import { onInterrupt } from "./interrupts.ts";
import { wholeNumber } from "./option-values.ts";
import { recordJson } from "./record-json.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { recordLine } from "./tail-line.ts";
import { exitCodes, fail, print } from "./terminal.ts";

const groups: readonly Group[] = ["log"];

interface TailFlags {
  readonly from: "start" | "end";
  readonly limit?: number;
  readonly follow: boolean;
  readonly json?: true;
}

export function command(): Command {
  const tail = new Command("tail")
    .description("Follows connector.registered, or another topic, until interrupted.")
    .addArgument(
      new Argument("[topic]", "which topic")
        .choices(["registered", "dlq", "enrolled", "retry"])
        .default("registered"),
    )
    .addOption(new Option("--from <place>", "where to begin").choices(["start", "end"]).default("start"))
    .option("--limit <n>", "end after n records", wholeNumber)
    .option("--no-follow", "end at the topic's present end")
    .option("--json", "JSON lines, also on a terminal");
  addSettingFlags(tail, groups).action(async (topic: Topic) => {
    const settings = readSettings(tail, groups);
    if (settings === null) return;
    const interrupts = onInterrupt("", { withinMs: settings.shutdownTimeoutMs });
    const log = await openCommandLog(settings, interrupts.signal);
    if (log === null) return;
    try {
      await follow({ log, topic }, tail.opts<TailFlags>(), interrupts.signal);
      if (interrupts.signal.aborted) process.exitCode = exitCodes.interrupted;
    } finally {
      await log.close();
      interrupts.stopListening();
    }
  });
  return tail;
}

async function follow(
  { log, topic }: { readonly log: OpenLog; readonly topic: Topic },
  flags: TailFlags,
  interrupted: AbortSignal,
): Promise<void> {
  const enough = new AbortController();
  const signal = AbortSignal.any([interrupted, enough.signal]);
  let left = flags.limit ?? Number.POSITIVE_INFINITY;
  if (left === 0) return;
  const json = flags.json ?? !process.stdout.isTTY;
  const onRecords = (records: readonly LogRecord[]) => {
    // One fetch may bring more than is wanted.
    for (const record of records.slice(0, left)) {
      print(json ? JSON.stringify(recordJson(record)) : recordLine(record, process.stdout.columns || 80));
    }
    left = Math.max(0, left - records.length);
    if (left === 0) enough.abort();
  };
  process.stdout.once("error", () => enough.abort());
  const failure = flags.follow
    ? await log.tail(topic, flags.from, onRecords, signal)
    : await scanAll({ log, topic }, onRecords, signal);
  if (!failure.ok && !signal.aborted) {
    fail({
      code: "tail",
      message: `The log can't be read: ${failure.reason}.`,
      fix: "Check that it is reachable, then type tail again.",
    });
  }
}

async function scanAll(
  { log, topic }: { readonly log: OpenLog; readonly topic: Topic },
  onRecords: (records: readonly LogRecord[]) => void,
  signal: AbortSignal,
): Promise<{ ok: true } | { ok: false; reason: string }> {
  for (let partition = 0; partition < log.partitionCount && !signal.aborted; partition++) {
    const result = await log.scan(topic, partition, 0, onRecords, signal);
    if (!result.ok) return result;
  }
  return { ok: true };
}
