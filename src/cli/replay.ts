/** `replay`: dead letters back to the input, once the cause of their refusal is gone. */
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { anyApplication, loadTenants } from "../compose/tenants.ts";
import { type OpenLog, openLog } from "../compose.ts";
import type { Group, SettingName, Settings } from "../config/table.ts";
import { type Filter, type Selection, select } from "../replay/select.ts";
import { type Replayed, send } from "../replay/send.ts";
import { onInterrupt } from "./interrupts.ts";
import { guids, names, pastTime, positiveNumber } from "./option-values.ts";
import { whoIsServed } from "./serve/who-is-served.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { exitCodes, fail, plain, print, say } from "./terminal.ts";

const groups: readonly Group[] = ["log"];
/** Who is served. */
const ofTenants: readonly SettingName[] = ["allowedTenants", "tenantsFile", "azureTenantId"];

interface Flags {
  readonly code?: readonly string[];
  readonly tenant?: readonly string[];
  readonly id?: readonly string[];
  readonly since?: number;
  readonly until?: number;
  readonly again?: true;
  readonly anyTenant?: true;
  readonly dryRun?: true;
  readonly rate: number;
  readonly json?: true;
  readonly quiet?: true;
}

export function command(): Command {
  const replay = new Command("replay")
    .description(
      "Puts dead letters back into connector.enrolled: all of them, or those that every filter given lets through. " +
        "What was registered since, or was replayed and refused again, is left out; so is what is of a tenant that " +
        "TENANTS_FILE or ALLOWED_TENANTS does not list, if one of them is set.",
    )
    .option("--code <names>", "only these reasons, comma-separated (tenant-not-allowed)", names)
    .option("--tenant <guids>", "only these tenants, comma-separated", guids)
    .option("--id <ids>", "only these dead letters, comma-separated (enrolled/3/1042)", names)
    .option("--since <time>", "refused at or after this date-time, or so long ago (2h, 7d)", pastTime)
    .option("--until <time>", "refused before this date-time, or so long ago", pastTime)
    .option("--again", "also what was replayed already or is registered")
    .option("--any-tenant", "also of tenants that are not listed")
    .option("--dry-run", "show what would be replayed, and append nothing")
    .option("--rate <n>", "at most n records a second", positiveNumber, 100)
    .option("--quiet", "print only the counts")
    .option("--json", "one JSON object with the counts");
  addSettingFlags(replay, groups).action(async () => {
    const settings = readSettings(replay, groups, { also: ofTenants });
    if (settings !== null) await run(settings, replay.opts<Flags>());
  });
  return replay;
}

async function run(settings: Settings, flags: Flags): Promise<void> {
  const loaded = loadTenants(settings, anyApplication);
  if (!loaded.ok) return fail(loaded.problem, exitCodes.usage);
  const { isTenantAllowed } = whoIsServed(settings, loaded.tenants);
  const isServed = flags.anyTenant ? () => true : isTenantAllowed;
  const opening = await openLog({ ...settings, topicsCreate: false }, systemClock);
  if (!opening.ok) return fail(opening.problem, opening.retryable ? exitCodes.failed : exitCodes.usage);
  const interrupts = onInterrupt("");
  try {
    await work(opening.log, { flags, isServed }, interrupts.signal);
    if (interrupts.signal.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    interrupts.stopListening();
    await opening.log.close();
  }
}

interface Asked {
  readonly flags: Flags;
  readonly isServed: (tenantId: string) => boolean;
}

async function work(log: OpenLog, { flags, isServed }: Asked, signal: AbortSignal): Promise<void> {
  const selection = await select(log, filterOf(flags), { isServed, signal });
  if (signal.aborted) return;
  if (!selection.ok) {
    return fail({
      code: "log",
      message: `The dead letters can't be read: ${selection.reason}.`,
      fix: "Check that the log is reachable, then type replay again.",
    });
  }
  const byCode = new Map<string, number>();
  const onReplayed = (group: readonly Replayed[]) => {
    for (const { letter, record } of group) {
      const { code } = letter.refusal;
      byCode.set(code, (byCode.get(code) ?? 0) + 1);
      if (flags.quiet || flags.json) continue;
      const verb = flags.dryRun ? "would replay" : "replayed";
      print(plain(`${verb} ${letter.id} (${code}) to partition ${record.partition}`));
    }
  };
  const settings = { perSecond: flags.rate, dryRun: flags.dryRun ?? false, onReplayed };
  const chosen = new Set(selection.ids);
  const sent = await send({ log, clock: systemClock, signal }, chosen, settings);
  summarize(selection, byCode, flags);
  if (!sent.ok && !signal.aborted) {
    fail({
      code: "append",
      message: `The log failed before all were replayed: ${sent.reason}.`,
      fix: "Type replay again: what was stored already is ignored by the worker as a duplicate, or refused again.",
    });
  }
}

function summarize(selection: Selection, byCode: ReadonlyMap<string, number>, flags: Flags): void {
  const replayed = [...byCode.values()].reduce((sum, count) => sum + count, 0);
  const { deadLetters, matched, superseded, registered, unserved, unreadable } = selection;
  const notServed = [...unserved.values()].reduce((sum, count) => sum + count, 0);
  if (flags.json) {
    const dryRun = flags.dryRun ?? false;
    const skipped = { replayedBefore: superseded, registered, notServed };
    print(
      JSON.stringify({
        deadLetters,
        matched,
        replayed,
        skipped,
        tenantsNotServed: [...unserved.keys()],
        unreadable,
        dryRun,
        byCode: Object.fromEntries(byCode),
      }),
    );
    return;
  }
  const codes = [...byCode].map(([code, count]) => `${plain(code)} ${count}`).join(", ");
  print(
    `${replayed} ${flags.dryRun ? "would be replayed" : "replayed"}${codes === "" ? "" : ` (${codes})`}; ` +
      `${matched} of ${deadLetters} dead letters match, ${superseded} of them were replayed before and ` +
      `${registered} are registered${notServed > 0 ? `, ${notServed} are of tenants that are not served` : ""}`,
  );
  if (unserved.size > 0) tellUnserved(unserved);
  if (superseded + registered > 0 && !flags.again) print("Type --again to replay those too.");
  if (unreadable > 0) say(`${unreadable} records of the topic have no readable reason and were left out\n`);
}

const tenantsShown = 10;

function tellUnserved(unserved: ReadonlyMap<string, number>): void {
  for (const [tenantId, count] of [...unserved].slice(0, tenantsShown))
    print(plain(`left out: ${count} of tenant ${tenantId}, which is not served`));
  const more = unserved.size - tenantsShown;
  if (more > 0) print(`left out: those of ${more} more tenants`);
  print(
    "Add the tenants to TENANTS_FILE or ALLOWED_TENANTS of the workers and of this command, then type replay again.",
  );
}

function filterOf({ code, tenant, id, since, until, again }: Flags): Filter {
  return {
    codes: code === undefined ? null : new Set(code),
    tenantIds: tenant === undefined ? null : new Set(tenant),
    ids: id === undefined ? null : new Set(id),
    fromMs: since ?? Number.NEGATIVE_INFINITY,
    toMs: until ?? Number.POSITIVE_INFINITY,
    again: again ?? false,
  };
}
