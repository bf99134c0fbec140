/** `audit`: what became of enrollments, as a file for auditors, and whether such a file is what the topics say. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { Format } from "../audit/manifest.ts";
import { systemClock } from "../clock.ts";
import { type OpenLog, openLog } from "../compose.ts";
import type { Group, Settings } from "../config/table.ts";
import { exportRows } from "./audit/export.ts";
import { verifyFile } from "./audit/verify.ts";
import { onInterrupt } from "./interrupts.ts";
import { guids, pastTime } from "./option-values.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { exitCodes, fail } from "./terminal.ts";

const groups: readonly Group[] = ["log"];

export interface AuditFlags {
  readonly tenant?: readonly string[];
  readonly since?: number;
  readonly until?: number;
  readonly format: Format;
  readonly out?: string;
  readonly verify?: string;
}

export function command(): Command {
  const audit = new Command("audit")
    .description(
      "Prints one row an enrollment: who, when, which event, which Graph object, or why it was refused. " +
        "With --out also a manifest, by which --verify checks the file against the topics later. " +
        "Exit code 1: they differ, or the work failed.",
    )
    .option("--tenant <guids>", "only these tenants, comma-separated; default all", guids)
    .option(
      "--since <time>",
      "registered, refused or come at or after this date-time, or so long ago",
      pastTime,
    )
    .option("--until <time>", "before this date-time, or so long ago (2h, 7d)", pastTime)
    .addOption(new Option("--format <form>", "of the rows").choices(["csv", "jsonl"]).default("csv"))
    .option("--out <file>", "write a new file and <file>.manifest.json, not standard output")
    .addOption(
      new Option(
        "--verify <file>",
        "make a file's rows from the topics again, and say what differs",
      ).conflicts([...["tenant", "since", "until", "out"]]),
    );
  addSettingFlags(audit, groups).action(async () => {
    const settings = readSettings(audit, groups);
    if (settings !== null) await run(settings, audit.opts<AuditFlags>());
  });
  return audit;
}

async function run(settings: Settings, flags: AuditFlags): Promise<void> {
  const { dataDir, kafkaBrokers } = settings;
  if (kafkaBrokers === null && !existsSync(join(dataDir, "log.db"))) {
    return fail(
      {
        code: "no-log",
        message: `There is no event log in ${dataDir}.`,
        fix: "Name the directory of the worker's log: --data-dir <directory>, or the brokers: --kafka-brokers <host:port>",
      },
      exitCodes.usage,
    );
  }
  const opening = await openLog({ ...settings, topicsCreate: false }, systemClock);
  if (!opening.ok) return fail(opening.problem, opening.retryable ? exitCodes.failed : exitCodes.usage);
  const interrupts = onInterrupt("", { withinMs: settings.shutdownTimeoutMs });
  // The index of this run: what it says is as old as the run.
  const directory = await mkdtemp(join(tmpdir(), "connector-registrar-audit-"));
  try {
    await work({ log: opening.log, indexPath: join(directory, "index.db") }, flags, interrupts.signal);
    if (interrupts.signal.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    await rm(directory, { recursive: true, force: true });
    await opening.log.close();
    interrupts.stopListening();
  }
}

function work(
  { log, indexPath }: { readonly log: OpenLog; readonly indexPath: string },
  flags: AuditFlags,
  signal: AbortSignal,
): Promise<void> {
  const place = { log, indexPath, signal };
  if (flags.verify !== undefined) return verifyFile(place, flags.verify);
  const { tenant = null, since: sinceMs = null, until: untilMs = null, format, out = null } = flags;
  return exportRows(place, { filter: { tenantIds: tenant, sinceMs, untilMs }, format }, out);
}
