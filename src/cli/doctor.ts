/**
 * `doctor`: settings, log, credential, permission and route, one line each, and what to type where one is wrong.
 * Exit codes: 0 all is well, 1 something that may pass by itself (no answer), 2 something that has to be changed.
 */
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { countTenants, loadTenants, type Tenants } from "../compose/tenants.ts";
import { checkGraphFiles } from "../compose.ts";
import type { Group, Settings } from "../config/table.ts";
import type { GraphObject } from "../graph-port.ts";
import { type Finding, ok } from "./doctor/finding.ts";
import { checkForms } from "./doctor/form-check.ts";
import { checkGraph } from "./doctor/graph-check.ts";
import { checkLog } from "./doctor/log-check.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { exitCodes, fail, plain, print } from "./terminal.ts";
import { asTyped } from "./typed.ts";

const groups: readonly Group[] = ["log", "azure", "graph", "worker", "process"];

export function command(): Command {
  const doctor = new Command("doctor")
    .description(
      "Checks the settings, the log and its topics, the credential, and Graph's route and permission. Creates nothing. " +
        "Exit code 1: something does not answer; 2: something has to be changed. Warnings change no exit code.",
    )
    .option("--json", "one JSON object");
  addSettingFlags(doctor, groups).action(async () => {
    const settings = readSettings(doctor, groups, { required: ["allowedTenants", "graphCredential"] });
    if (settings === null) return;
    const badFile = checkGraphFiles(settings);
    if (badFile !== null) return fail(badFile, exitCodes.usage);
    const loaded = loadTenants(settings);
    if (!loaded.ok) return fail(loaded.problem, exitCodes.usage);
    const { tenants } = loaded;
    const text = "complete and free of contradictions";
    const findings: Finding[] = [ok("settings", text), ...tenantsFinding(settings, tenants)];
    const json = doctor.opts<{ json?: true }>().json ?? false;
    if (!json) report(findings);
    const lists = new Map<string, readonly GraphObject[]>();
    const [log, graph] = await Promise.all([
      checkLog(settings, systemClock),
      checkGraph(
        { settings, tenants },
        systemClock,
        (tenantId, objects) => void lists.set(tenantId, objects),
      ),
    ]);
    const isLogWell = log.every(({ status }) => status === "ok" || status === "warning");
    const forms = isLogWell ? await checkForms(settings, systemClock, lists) : [];
    findings.push(...log, ...graph, ...forms);
    if (json) print(JSON.stringify({ findings }));
    else report([...log, ...graph, ...forms]);
    conclude(findings, json);
  });
  return doctor;
}

/** Where a file lists them. */
function tenantsFinding({ tenantsFile }: Settings, { served }: Tenants): Finding[] {
  if (tenantsFile === null) return [];
  const { served: count, paused } = countTenants(served)();
  const clouds = served.clouds();
  const told = clouds.length > 1 ? `, in the clouds ${clouds.join(", ")}` : "";
  return [ok("tenants", `${tenantsFile} lists ${count} to serve and ${paused} paused${told}`)];
}

function report(findings: readonly Finding[]): void {
  for (const { status, part, text, fix } of findings) {
    print(`${status.padEnd(7)} ${part.padEnd(9)} ${plain(text)}`);
    if (fix !== "") print(`${" ".repeat(18)}${plain(asTyped(fix))}`);
  }
}

function conclude(findings: readonly Finding[], json: boolean): void {
  const wrong = findings.filter(({ status }) => status === "wrong");
  if (wrong.length > 0) {
    process.exitCode = wrong.every(({ retryable }) => retryable) ? exitCodes.failed : exitCodes.usage;
  }
  if (json) return;
  const warnings = findings.filter(({ status }) => status === "warning").length;
  if (wrong.length > 0)
    print(`${wrong.length} of ${findings.length} ${wrong.length === 1 ? "is" : "are"} wrong`);
  else if (warnings > 0) print(`it works; ${warnings} ${warnings === 1 ? "warning" : "warnings"}`);
  else print("all is well");
}
