/** `emit`: publishes enrollment events; refuses what the worker would refuse, by default. */
import { Command, Option } from "commander";
import { systemClock, systemRandom } from "../clock.ts";
import { readTenantList, type TenantList } from "../compose/tenants.ts";
import type { Group, Settings } from "../config/table.ts";
import type { EventLog } from "../ports.ts";
import { openCommandLog } from "./command-log.ts";
import { orIdle } from "./emit-idle.ts";
import {
  type Emission,
  type EmitContext,
  type EmitInput,
  fromFile,
  fromFlags,
  generated,
} from "./emit-input.ts";
import { onInterrupt } from "./interrupts.ts";
import { names, wholeNumber } from "./option-values.ts";
import { seededRandom } from "./samples/random.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { exitCodes, fail, plain, print, say } from "./terminal.ts";

const groups: readonly Group[] = ["log"];
const batchRecords = 500;
const shownRefusals = 20;

interface EmitFlags {
  readonly file?: string;
  readonly tenant?: string;
  readonly connector?: string;
  readonly machine?: string;
  readonly enrolledAt?: string;
  readonly lastCheckin?: string;
  readonly connectorVersion?: string;
  readonly id?: string;
  readonly source?: string;
  readonly count?: number;
  readonly seed?: number;
  readonly binary?: true;
  readonly raw?: true;
  readonly json?: true;
  readonly quiet?: true;
}

export function command(): Command {
  const emit = new Command("emit")
    .description(
      "Publishes enrollment events to connector.enrolled: one from flags, generated samples, or JSON objects.",
    )
    .argument("[file]", "CloudEvents or their data, as JSON; - is standard input")
    .addOption(new Option("--file <path>", "the same as the argument").hideHelp())
    .option(
      "--tenant <guid>",
      "tenant; default AZURE_TENANT_ID; with --count several, default ALLOWED_TENANTS",
    )
    .option("--connector <name>", "connectorName")
    .option("--machine <name>", "machineName")
    .option("--enrolled-at <date-time>", "enrollmentDateTime, with offset; default now")
    .option("--last-checkin <date-time>", "lastCheckinDateTime; default the enrollment's")
    .option("--connector-version <text>", "connectorVersion", "6.2406.0.1001")
    .option("--id <text>", "CloudEvents id; default a new UUID")
    .option("--source <uri>", "CloudEvents source; default /connector-registrar/emit")
    .option("--count <n>", "emit n generated samples", wholeNumber)
    .option("--seed <n>", "seed of the samples", wholeNumber)
    .option("--binary", "CloudEvents in binary mode (ce_ headers)")
    .option("--raw", "emit lines as they are, without looking at them")
    .option("--json", "print JSON lines")
    .option("--quiet", "print only the summary");
  addSettingFlags(emit, groups).action(async (argument: string | undefined) => {
    const flags = emit.opts<EmitFlags>();
    const settings = readSettings(emit, groups, { also: ["tenantsFile"] });
    if (settings !== null) await run(settings, { ...flags, file: flags.file ?? argument });
  });
  return emit;
}

async function run(settings: Settings, flags: EmitFlags & { file: string | undefined }): Promise<void> {
  const read = settings.tenantsFile === null ? null : readTenantList(settings.tenantsFile);
  if (read?.ok === false) return fail(read.problem, exitCodes.usage);
  const list = read?.list ?? null;
  const tenantIds = list === null ? tenantsOf(flags) : tenantsIn(list, flags);
  const tenantId = tenantIds[0] ?? null;
  const missing = missingFlag(flags, tenantId);
  if (missing !== null) return fail({ code: "usage", ...missing }, exitCodes.usage);
  const counts: Counts = { emitted: 0, refused: 0, rawHelps: 0, underWay: 0 };
  const interrupts = onInterrupt("", {
    withinMs: settings.shutdownTimeoutMs,
    onCutOff: () => sayCutOff(counts),
  });
  const log = await openCommandLog(settings, interrupts.signal);
  if (log === null) return;
  const context: EmitContext = {
    tenantId,
    sampleTenantIds: tenantIds,
    source: flags.source ?? "/connector-registrar/emit",
    mode: flags.binary ? "binary" : "structured",
    isTenantAllowed: (id) => list === null || list.has(id),
    raw: flags.raw ?? false,
    partitionCount: log.partitionCount,
    nowIso: () => new Date(systemClock.wallMs()).toISOString(),
    random: flags.seed === undefined ? systemRandom : seededRandom(flags.seed),
  };
  try {
    await emitAll(
      { log, source: inputs(flags, context, interrupts.signal), counts },
      flags,
      interrupts.signal,
    );
  } catch (error) {
    if (!isFileError(error)) throw error;
    fail(
      {
        code: "file",
        message: `${plain(error.path ?? flags.file ?? "standard input")} can't be read: ${whyUnreadable(error.code)}.`,
        fix: "Type: connector-registrar emit <file of events>, or - for standard input",
      },
      exitCodes.usage,
    );
  } finally {
    await log.close();
    interrupts.stopListening();
  }
}

/** Samples are spread over several tenants, so that every worker has some; one event has one tenant. */
function tenantsOf({ tenant, count, file }: EmitFlags): string[] {
  const own = process.env.AZURE_TENANT_ID ?? "";
  if (count === undefined || file !== undefined) return [tenant ?? own].filter((id) => id !== "");
  return names(tenant ?? (process.env.ALLOWED_TENANTS || own));
}

/** Of a tenants file, AZURE_TENANT_ID being the app's home tenant there: all for samples, the only one for an event. */
function tenantsIn(list: TenantList, { tenant, count, file }: EmitFlags): string[] {
  if (tenant !== undefined) return count === undefined || file !== undefined ? [tenant] : names(tenant);
  const all = [...list.keys()];
  return (count !== undefined && file === undefined) || all.length === 1 ? all : [];
}

function inputs(
  flags: EmitFlags,
  context: EmitContext,
  interrupted: AbortSignal,
): Iterable<EmitInput> | AsyncIterable<EmitInput> {
  if (flags.file !== undefined) return fromFile(flags.file, context, interrupted);
  if (flags.count !== undefined) return generated(flags.count, context);
  const enrolledAt = flags.enrolledAt ?? context.nowIso();
  const data = {
    connectorName: flags.connector ?? "",
    machineName: flags.machine ?? "",
    enrollmentDateTime: enrolledAt,
    lastCheckinDateTime: flags.lastCheckin ?? enrolledAt,
    connectorVersion: flags.connectorVersion ?? "",
  };
  return [fromFlags(data, flags.id ?? null, context)];
}

interface Counts {
  emitted: number;
  refused: number;
  /** Of those that were refused: what --raw would emit. */
  rawHelps: number;
  /** Given to the log, not confirmed yet. */
  underWay: number;
}

async function emitAll(
  {
    log,
    source,
    counts,
  }: {
    readonly log: EventLog;
    readonly source: Iterable<EmitInput> | AsyncIterable<EmitInput>;
    readonly counts: Counts;
  },
  flags: EmitFlags,
  interrupted: AbortSignal,
): Promise<void> {
  let batch: Emission[] = [];
  const flush = async (): Promise<boolean> => {
    counts.underWay = batch.length;
    const result = await log.append(batch.map((emission) => emission.record));
    counts.underWay = 0;
    if (!result.ok) {
      fail({
        code: "append",
        message: `The log didn't confirm the last ${batch.length} events (${result.reason}); ${counts.emitted} before them are stored.`,
        fix: "Put right what it names, then emit them again: duplicates are ignored by the worker.",
      });
      return false;
    }
    counts.emitted += batch.length;
    if (!flags.quiet) for (const emission of batch) report(emission, flags.json ?? false);
    batch = [];
    return true;
  };
  for await (const input of orIdle(source, () => batch.length > 0)) {
    if (input === "idle") {
      if (!(await flush())) return;
      continue;
    }
    if (interrupted.aborted) break;
    if (input.ok) batch.push(input.emission);
    else refuse(input, counts);
    if (batch.length >= batchRecords && !(await flush())) return;
  }
  if (batch.length > 0 && !(await flush())) return;
  summary(counts, flags.raw ?? false);
  if (counts.emitted + counts.refused === 0 && flags.file !== undefined && !interrupted.aborted)
    say(`  ${flags.file === "-" ? "Standard input" : plain(flags.file)} holds no event.\n`);
  if (interrupted.aborted) process.exitCode = exitCodes.interrupted;
}

function refuse({ where, message, rawHelps }: EmitInput & { ok: false }, counts: Counts): void {
  if (counts.refused++ < shownRefusals) say(`refused${where && ` ${where}`}: ${plain(message)}\n`);
  if (rawHelps) counts.rawHelps++;
}

function report({ id, tenantId, record }: Emission, json: boolean): void {
  const { partition } = record;
  print(
    json
      ? JSON.stringify({ id, tenantId, partition })
      : `emitted ${plain(id ?? "(no id)")} for tenant ${plain(tenantId ?? "(none)")} to partition ${partition}`,
  );
}

function sayCutOff({ emitted, underWay }: Counts): void {
  say(
    `connector-registrar: interrupted while the log did not answer: ${emitted} events are stored, the next ${underWay} may be.\n` +
      "  Emit them again: duplicates are ignored by the worker.\n",
  );
}

function summary({ emitted, refused, rawHelps }: Counts, raw: boolean): void {
  if (refused > shownRefusals) say(`… and ${refused - shownRefusals} more refused\n`);
  say(`${emitted} emitted, ${refused} refused\n`);
  if (refused > 0) {
    const asItIs =
      raw || rawHelps === 0 ? "" : ", or type --raw to emit it as it is (the worker dead-letters it)";
    say(`  Correct what was refused${asItIs}.\n`);
    process.exitCode = exitCodes.failed;
  }
}

function missingFlag(flags: EmitFlags & { file: string | undefined }, tenantId: string | null) {
  if (flags.file !== undefined) return null;
  if (flags.count === undefined && (flags.connector === undefined || flags.machine === undefined)) {
    return {
      message: "emit needs --connector and --machine, or --count, or a file of events.",
      fix: "Type for example: connector-registrar emit --tenant <guid> --connector 'Certificate Connector 1' --machine PKI-0001",
    };
  }
  if (tenantId !== null) return null;
  return { message: "emit needs a tenant.", fix: "Type --tenant <guid>, or set AZURE_TENANT_ID." };
}

function whyUnreadable(code: string | undefined): string {
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a directory";
  if (code === "EACCES" || code === "EPERM") return "this user may not read it";
  return code ?? "unknown reason";
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}
