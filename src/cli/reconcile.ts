/** `reconcile`: what is registered against what Graph holds. Deletes only proven duplicates, and only on request. */
import { Command } from "commander";
import { systemClock, systemRandom } from "../clock.ts";
import { loadTenants } from "../compose/tenants.ts";
import { checkGraphFiles, type OpenLog, openGraphFrom, openLog } from "../compose.ts";
import type { Group, Settings } from "../config/table.ts";
import { type ComparedProperty, comparedProperties } from "../reconcile/compare.ts";
import { onInterrupt } from "./interrupts.ts";
import { guids, namesOf } from "./option-values.ts";
import type { AskParts } from "./reconcile/ask-graph.ts";
import { confirmed, removeAll, superfluousIn } from "./reconcile/fix.ts";
import { allEqual, type Removed, reportJson, reportLines } from "./reconcile/report.ts";
import { type Survey, survey } from "./reconcile/survey.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { exitCodes, fail, plain, print, say } from "./terminal.ts";

const flagGroups: readonly Group[] = ["log", "azure", "graph"];
/** Of the worker's, how often to look at lists that may lag. */
const groups: readonly Group[] = [...flagGroups, "worker"];

interface Flags {
  readonly tenant?: readonly string[];
  readonly ignore?: readonly ComparedProperty[];
  readonly fix?: true;
  readonly yes?: true;
  readonly json?: true;
}

export function command(): Command {
  const reconcile = new Command("reconcile")
    .description(
      "Compares connector.registered with Graph's list, tenant by tenant: missing, orphaned, duplicated, differing. " +
        "Exit code 0: equal; 1: they differ, a tenant could not be compared, or objects are still in progress.",
    )
    .option("--tenant <guids>", "only these, comma-separated; default ALLOWED_TENANTS", guids)
    .option(
      "--ignore <names>",
      "properties that may differ, comma-separated, such as lastCheckinDateTime",
      namesOf(comparedProperties),
    )
    .option("--fix", "delete the objects that the ledger proves superfluous, after showing them and asking")
    .option("--yes", "with --fix: don't ask")
    .option("--json", "one JSON object");
  addSettingFlags(reconcile, flagGroups).action(async () => {
    const flags = reconcile.opts<Flags>();
    const settings = readSettings(reconcile, groups, {
      required: [...(flags.tenant === undefined ? (["allowedTenants"] as const) : []), "graphCredential"],
    });
    if (settings !== null) await run(settings, flags);
  });
  return reconcile;
}

async function run(settings: Settings, flags: Flags): Promise<void> {
  const badFile = checkGraphFiles(settings);
  if (badFile !== null) return fail(badFile, exitCodes.usage);
  if (flags.fix && !flags.yes && !process.stdin.isTTY) {
    return fail(
      {
        code: "no-terminal",
        message: "--fix asks before it deletes, and there is no terminal to ask on.",
        fix: "Type --fix --yes to delete without being asked, or leave --fix out to see what would go.",
      },
      exitCodes.usage,
    );
  }
  const loaded = loadTenants(settings);
  if (!loaded.ok) return fail(loaded.problem, exitCodes.usage);
  const { tenants } = loaded;
  const opening = await openLog({ ...settings, topicsCreate: false }, systemClock);
  if (!opening.ok) return fail(opening.problem, opening.retryable ? exitCodes.failed : exitCodes.usage);
  const interrupts = onInterrupt("");
  const { graph, close } = await openGraphFrom(settings, systemClock, { tenants });
  try {
    const parts = { graph, clock: systemClock, random: systemRandom, signal: interrupts.signal };
    const tenantIds = flags.tenant ?? [...tenants.served.list().keys()];
    await work(opening.log, parts, { settings: { ...settings, tenantIds }, flags });
    if (interrupts.signal.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    interrupts.stopListening();
    await close();
    await opening.log.close();
  }
}

type Compared = Settings & { readonly tenantIds: readonly string[] };

async function work(
  log: OpenLog,
  parts: AskParts,
  { settings, flags }: { readonly settings: Compared; readonly flags: Flags },
): Promise<void> {
  const look = () =>
    survey(log, parts, {
      tenantIds: settings.tenantIds,
      ignored: new Set(flags.ignore ?? []),
      rereadCount: settings.rereadCount,
      rereadDelayMs: settings.rereadDelayMs,
    });
  const first = await look();
  if (parts.signal.aborted) return;
  if (!first.ok) return unreadable(first.reason);
  if (!flags.json) for (const line of reportLines(first)) print(line);
  const removed = flags.fix ? await fix(parts, first, flags) : [];
  if (parts.signal.aborted) return;
  // The final report shows the present state.
  const last = removed.length === 0 ? first : await look();
  if (parts.signal.aborted) return;
  if (!last.ok) return unreadable(last.reason);
  if (flags.json) print(JSON.stringify(reportJson(last, removed)));
  else if (removed.length > 0) for (const line of ["", ...reportLines(last)]) print(line);
  if (!allEqual(last.results)) process.exitCode = exitCodes.failed;
}

async function fix(parts: AskParts, found: Survey, flags: Flags): Promise<readonly Removed[]> {
  const objects = superfluousIn(found.results);
  if (objects.length === 0) {
    say("Nothing to delete: no object is proven superfluous.\n");
    return [];
  }
  for (const { tenantId, id, registeredId } of objects) {
    say(plain(`to be deleted: ${id} of tenant ${tenantId}; ${registeredId} is the registered one and stays`));
    say("\n");
  }
  const question = `Delete ${objects.length === 1 ? "this object" : `these ${objects.length} objects`}? Type yes: `;
  if (!flags.yes && !(await confirmed(question, parts.signal))) {
    say("Nothing was deleted.\n");
    return [];
  }
  const { removed, failures } = await removeAll(parts, objects);
  for (const failure of failures) say(`${plain(failure)}\n`);
  say(`${removed.length} deleted\n`);
  return removed;
}

function unreadable(reason: string): void {
  fail({
    code: "log",
    message: `connector.registered can't be read: ${reason}.`,
    fix: "Check that the log is reachable, then type reconcile again.",
  });
}
