/** `emulate-graph`: the Graph emulator alone, until SIGTERM or SIGINT. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { emulatorCredential } from "./credential.ts";
import { addEntraOptions, EntraFileProblem, type EntraFlags, entraOfFlags } from "./entra/options.ts";
import { exportLine } from "./export-line.ts";
import type { Latency } from "./faults.ts";
import { exitCodes, type Host, type Problem } from "./host.ts";
import { type Normalisation, normalisations } from "./normalise.ts";
import { names, namesOf, wholeNumber } from "./option-values.ts";
import type { EmulatorSettings } from "./server.ts";
import { type GraphBehaviour, listForms } from "./settings.ts";
import { DataFileProblem } from "./store.ts";

interface Flags extends EntraFlags {
  readonly httpsPort: number;
  readonly httpPort?: number;
  readonly host: string;
  readonly extraHost?: string[];
  readonly caDir?: string;
  readonly data?: string;
  readonly settingsFile?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenants?: string[];
  readonly ids: GraphBehaviour["idMode"];
  readonly faults: "none" | "flaky" | "harsh";
  readonly latency?: Latency;
  readonly throttle?: number;
  readonly retryAfter: GraphBehaviour["retryAfter"];
  readonly listLag: number;
  readonly normalise?: Normalisation[];
  readonly listForm: GraphBehaviour["listForm"];
  readonly queryOptions?: true;
  readonly seed: number;
}

export function command(host: Host): Command {
  const emulate = new Command("emulate-graph")
    .description("Runs the Graph emulator alone: token endpoint, Graph and /_control on one HTTPS port.")
    .option("--https-port <n>", "HTTPS port; 0 takes any free one", wholeNumber, 8443)
    .option("--http-port <n>", "plain HTTP as well, on this port", wholeNumber)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--extra-host <names>", "more names for the certificate", names)
    .option("--ca-dir <dir>", "keep the CA (ca.pem) here and use it again")
    .option("--data <file>", "keep its data in this file, and continue from it")
    .option("--settings-file <path>", "write its settings here, for `. <path>` in shells")
    .addOption(
      new Option("--client-id <guid>", "the app's id")
        .env("AZURE_CLIENT_ID")
        .default(emulatorCredential.clientId),
    )
    .addOption(
      new Option("--client-secret <text>", "the app's secret")
        .env("AZURE_CLIENT_SECRET")
        .default(emulatorCredential.clientSecret),
    )
    .option("--tenants <guids>", "tenants that exist; default any GUID", names)
    .addOption(
      new Option("--ids <mode>", "what becomes of ids that clients send")
        .choices(["honour", "ignore", "refuse"])
        .default("honour"),
    )
    .addOption(
      new Option("--faults <profile>", "how much goes wrong")
        .choices(["none", "flaky", "harsh"])
        .default("none"),
    )
    .option("--latency <ms>", "time each request takes, or a range (20-80)", latency)
    .option("--throttle <n>", "writes of app and tenant in 20 s, default 100; 0: any", wholeNumber)
    .addOption(
      new Option("--retry-after <form>", "how 429 says when")
        .choices(["seconds", "fractional", "http-date", "absent"])
        .default("seconds"),
    )
    .option("--list-lag <ms>", "lists show new objects after this time", wholeNumber, 0)
    .option(
      "--normalise <forms>",
      `what becomes of the values that it keeps, comma-separated: ${normalisations.join(", ")}; default none`,
      namesOf(normalisations),
    )
    .addOption(new Option("--list-form <form>", "how lists fail in part").choices(listForms).default("whole"))
    .option("--query-options", "carry out $select, $count, $orderby, simple $filter")
    .option("--seed <n>", "decides faults, latency, ids", wholeNumber, 1);
  addEntraOptions(emulate);
  emulate.action(() => run(emulate.opts<Flags>(), host));
  return emulate;
}

async function run(flags: Flags, host: Host): Promise<void> {
  const { startEmulator } = await import("./server.ts");
  const stop = host.onStop();
  try {
    const emulator = await startEmulator(await emulatorSettings(flags));
    try {
      announce(emulator, flags, host.print);
    } catch (error) {
      await emulator.close();
      throw error;
    }
    await new Promise<void>((resolve) => {
      if (stop.signal.aborted) resolve();
      stop.signal.addEventListener("abort", () => resolve());
    });
    await emulator.close();
  } catch (error) {
    const problem = problemOf(error, flags);
    if (problem === null) throw error;
    host.fail(problem, exitCodes.usage);
  } finally {
    stop.stopListening();
  }
}

async function emulatorSettings(flags: Flags): Promise<EmulatorSettings> {
  const { faultProfile } = await import("./faults.ts");
  const { documentedLimits } = await import("./throttle.ts");
  const limits = {
    ...documentedLimits,
    writesPerAppAndTenant: flags.throttle ?? documentedLimits.writesPerAppAndTenant,
  };
  const faults = faultProfile(flags.faults);
  return {
    clientId: flags.clientId,
    clientSecret: flags.clientSecret,
    allowedTenants: flags.tenants ?? null,
    cloud: flags.cloud ?? null,
    entra: entraOfFlags(flags),
    identityHeader: flags.identityHeader,
    host: flags.host,
    httpsPort: flags.httpsPort,
    httpPort: flags.httpPort ?? null,
    extraHosts: flags.extraHost ?? [],
    caDir: flags.caDir ?? null,
    dataFile: flags.data ?? null,
    seed: flags.seed,
    faults: flags.latency === undefined ? faults : { ...faults, latency: flags.latency },
    behaviour: {
      idMode: flags.ids,
      throttle: flags.throttle === 0 ? null : limits,
      retryAfter: flags.retryAfter,
      listLagMs: flags.listLag,
      normalise: flags.normalise ?? [],
      listForm: flags.listForm,
      queryOptions: flags.queryOptions === true,
    },
  };
}

/** What to export so that a worker uses it. The secret is named only if it is the built-in one. */
function settingLines({ httpsUrl, caFile }: { httpsUrl: string; caFile: string }, flags: Flags): string[] {
  const isBuiltIn = flags.clientSecret === emulatorCredential.clientSecret;
  return [
    exportLine("GRAPH_BASE_URL", httpsUrl),
    exportLine("AZURE_AUTHORITY_HOST", httpsUrl),
    exportLine("GRAPH_CA_FILE", resolve(caFile)),
    exportLine("AZURE_TENANT_ID", flags.tenants?.[0] ?? emulatorCredential.tenantId),
    exportLine("AZURE_CLIENT_ID", flags.clientId),
    isBuiltIn
      ? exportLine("AZURE_CLIENT_SECRET", flags.clientSecret)
      : "# AZURE_CLIENT_SECRET: the one that this command was given.",
  ];
}

function announce(
  emulator: { httpsUrl: string; httpUrl: string | null; caFile: string },
  flags: Flags,
  print: Host["print"],
): void {
  const { httpsUrl, httpUrl, caFile } = emulator;
  const lines = settingLines(emulator, flags);
  if (flags.settingsFile !== undefined) {
    mkdirSync(dirname(flags.settingsFile), { recursive: true });
    writeFileSync(flags.settingsFile, lines.map((line) => `${line}\n`).join(""));
  }
  const end =
    flags.data === undefined ? "It forgets all when it ends." : `What it holds stays in ${flags.data}.`;
  print(`# The Graph emulator listens on ${httpsUrl}${httpUrl ? ` and ${httpUrl}` : ""}. ${end}`);
  print("# To point a worker at it, type in each shell that starts one, or another command of this program:");
  for (const line of lines) print(line);
  if (flags.settingsFile !== undefined)
    print(`# or this, from the same directory: . ${sourced(flags.settingsFile)}`);
  print(`# What it holds: curl --cacert ${caFile} ${httpsUrl}/_control/inventory`);
}

/** A path that `.` takes as one: without a slash it would look along the PATH. */
function sourced(path: string): string {
  return path.includes("/") ? path : `./${path}`;
}

interface SystemError extends NodeJS.ErrnoException {
  readonly port?: number;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "syscall" in error;
}

/** Null: a bug. */
function problemOf(error: unknown, flags: Flags): Problem | null {
  if (error instanceof EntraFileProblem) return error.problem;
  if (error instanceof DataFileProblem) return error.problem;
  if (!isSystemError(error)) return null;
  if (error.code === "EADDRINUSE") {
    return {
      code: "port-taken",
      message: `Port ${error.port ?? flags.httpsPort} is taken by another process.`,
      fix: "Type --https-port 0 (any free port) or another number; the same goes for --http-port.",
    };
  }
  return {
    code: "emulator",
    message: `The emulator can't start: ${error.message}.`,
    fix: "Check --host, the ports, --ca-dir and --settings-file.",
  };
}

function latency(text: string): Latency {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text);
  if (!match) throw new InvalidArgumentError("It is neither milliseconds (20) nor a range (20-80).");
  if (match[2] === undefined) return { kind: "fixed", ms: Number(match[1]) };
  return { kind: "uniform", minMs: Number(match[1]), maxMs: Number(match[2]) };
}
