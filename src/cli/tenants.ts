/** `tenants`: who is served, as TENANTS_FILE or ALLOWED_TENANTS says; whether each can be; where its administrator consents. */
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { consentOf, loadTenants, type Tenants } from "../compose/tenants.ts";
import { checkGraphFiles, openGraphFrom } from "../compose.ts";
import type { Group, Settings } from "../config/table.ts";
import { onInterrupt } from "./interrupts.ts";
import { guids, positiveNumber } from "./option-values.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { type Checked, checkTenants } from "./tenants/check.ts";
import { tableLines } from "./tenants/table.ts";
import { exitCodes, fail, plain, print } from "./terminal.ts";

const groups: readonly Group[] = ["azure", "graph"];

interface Flags {
  readonly tenant?: readonly string[];
  readonly json?: true;
}

interface CheckFlags extends Flags {
  readonly concurrency: number;
  readonly limit: number;
}

export function command(): Command {
  const tenants = new Command("tenants").description(
    "Shows the tenants that TENANTS_FILE or ALLOWED_TENANTS names, checks each at Graph, or prints where its administrator consents.",
  );
  const list = new Command("list").description(
    "Checks the file, and prints its tenants. Exit code 2: the file can't be used; all that is wrong is said.",
  );
  const check = new Command("check")
    .description(
      "Asks a token and one list of connectors for each tenant. Creates nothing. Exit code 1: some can't be served.",
    )
    .option("--concurrency <n>", "how many at a time", positiveNumber, 8)
    .option("--limit <n>", "at most this many tenants, the first ones", positiveNumber, 1_000);
  const consent = new Command("consent").description(
    "Prints, for each tenant, the address where its administrator lets the application in.",
  );
  onTenants(list, [], async (settings, all) => listThem(settings, all, list.opts<Flags>()));
  onTenants(check, ["graphCredential"], (settings, all) =>
    checkThem(settings, all, check.opts<CheckFlags>()),
  );
  onTenants(consent, [], async (settings, all) => consentThem(settings, all, consent.opts<Flags>()));
  return tenants.addCommand(list).addCommand(check).addCommand(consent);
}

function onTenants(
  command: Command,
  needs: readonly "graphCredential"[],
  run: (settings: Settings, tenants: Tenants) => Promise<void>,
): void {
  command
    .option("--tenant <guids>", "only these, comma-separated", guids)
    .option("--json", "one JSON object a line");
  addSettingFlags(command, groups).action(async () => {
    const settings = readSettings(command, groups, { required: ["allowedTenants", ...needs] });
    if (settings === null) return;
    const loaded = loadTenants(settings);
    if (!loaded.ok) return fail(loaded.problem, exitCodes.usage);
    await run(settings, loaded.tenants);
  });
}

/** Those asked for, in the order of the list; one that is not listed is an error. Null: that was said. */
function chosen({ served }: Tenants, { tenant }: Flags): string[] | null {
  const all = [...served.list().keys()];
  if (tenant === undefined) return all;
  const missing = tenant.find((id) => served.standingOf(id) === "unlisted");
  if (missing === undefined) return all.filter((id) => tenant.includes(id));
  const fix = "Type: connector-registrar tenants list, to see who is.";
  fail({ code: "tenant-unlisted", message: `Tenant ${missing} is not listed.`, fix }, exitCodes.usage);
  return null;
}

interface Row {
  readonly tenantId: string;
  readonly name: string | null;
  readonly state: "served" | "paused";
  readonly cloud: string;
  readonly clientId: string | null;
  readonly credential: string | null;
  readonly writesPer20s: number;
}

function rowOf(settings: Settings, { served }: Tenants, tenantId: string): Row {
  const entry = served.entryOf(tenantId);
  return {
    tenantId,
    name: entry?.name ?? null,
    state: served.standingOf(tenantId) === "paused" ? "paused" : "served",
    cloud: served.cloudOf(tenantId),
    clientId: entry?.clientId ?? settings.azureClientId,
    credential: entry?.credential?.kind ?? settings.credential?.kind ?? null,
    writesPer20s: served.writesPer20sOf(tenantId) ?? settings.graphWritesPer20s,
  };
}

function listThem(settings: Settings, tenants: Tenants, flags: Flags): void {
  const ids = chosen(tenants, flags);
  if (ids === null) return;
  const rows = ids.map((id) => rowOf(settings, tenants, id));
  if (flags.json) return rows.forEach((row) => void print(JSON.stringify(row)));
  const cells = rows.map((row) => [
    row.tenantId,
    row.state,
    row.cloud,
    row.credential ?? "-",
    String(row.writesPer20s),
    row.name ?? "",
  ]);
  for (const line of tableLines(["tenant", "state", "cloud", "credential", "writes/20s", "name"], cells))
    print(line);
  const paused = rows.filter(({ state }) => state === "paused").length;
  print(`${rows.length - paused} served, ${paused} paused`);
}

function consentThem(settings: Settings, tenants: Tenants, flags: Flags): void {
  const rows = (chosen(tenants, flags) ?? []).map((tenantId) => ({
    tenantId,
    name: tenants.served.entryOf(tenantId)?.name ?? null,
    consent: consentOf(settings, tenants, tenantId),
  }));
  if (flags.json) return rows.forEach((row) => void print(JSON.stringify(row)));
  const cells = rows.map(({ tenantId, name, consent }) => [
    tenantId,
    consent ?? "no application: set AZURE_CLIENT_ID",
    name ?? "",
  ]);
  if (cells.length > 0) for (const line of tableLines(["tenant", "consent", "name"], cells)) print(line);
}

async function checkThem(settings: Settings, tenants: Tenants, flags: CheckFlags): Promise<void> {
  const badFile = checkGraphFiles(settings);
  if (badFile !== null) return fail(badFile, exitCodes.usage);
  const ids = chosen(tenants, flags);
  if (ids === null) return;
  const interrupts = onInterrupt("");
  const opened = await openGraphFrom(settings, systemClock, { tenants });
  const counts = { ok: 0, wrong: 0 };
  const onChecked = (checked: Checked): void => {
    counts[checked.ok ? "ok" : "wrong"]++;
    print(flags.json ? JSON.stringify(checked) : plain(lineOf(checked)));
  };
  try {
    const consent = (tenantId: string) => consentOf(settings, tenants, tenantId);
    const { concurrency, limit } = flags;
    await checkTenants(opened, ids.slice(0, limit), {
      concurrency,
      consent,
      signal: interrupts.signal,
      onChecked,
    });
  } finally {
    interrupts.stopListening();
    await opened.close();
  }
  if (interrupts.signal.aborted) process.exitCode = exitCodes.interrupted;
  else if (counts.wrong > 0) process.exitCode = exitCodes.failed;
  if (flags.json) return;
  const left = Math.max(0, ids.length - flags.limit);
  const unasked = left > 0 ? `; ${left} were not asked, type --limit ${ids.length} for all` : "";
  print(`${counts.ok} can be served, ${counts.wrong} can't${unasked}`);
}

function lineOf({ tenantId, ok, text, fix }: Checked): string {
  return `${ok ? "ok   " : "wrong"} ${tenantId}  ${text}${fix === null ? "" : `  ${fix}`}`;
}
