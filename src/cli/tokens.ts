/** `tokens`: makes, lists and revokes the tokens that `serve` accepts. A token is shown once, when it is made. */
import { randomBytes } from "node:crypto";
import { Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../clock.ts";
import { durationMs } from "../config/kinds.ts";
import type { Group, Settings } from "../config/table.ts";
import type { Problem } from "../problem.ts";
import type { Role } from "../server/auth/principal.ts";
import { type TokenEntry, tokenHash } from "../server/auth/tokens-file.ts";
import { guids } from "./option-values.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { exitCodes, fail, print, say } from "./terminal.ts";
import { changeTokens, loadTokens } from "./tokens/file.ts";

const tokenBytes = 32;
/** Shows programs that look for secrets that this is one. */
const tokenPrefix = "crt_";

interface CreateFlags {
  readonly name: string;
  readonly tenant?: readonly string[];
  readonly role: Role;
  readonly expires?: number;
}

export function command(): Command {
  const tokens = new Command("tokens").description(
    "Makes, lists and revokes the tokens that serve accepts. TOKENS_FILE holds only their hashes; serve sees a change within a second.",
  );
  const create = new Command("create")
    .description("Makes a token and prints it, once: nothing can show it again.")
    .requiredOption("--name <name>", "who will use it: letters, digits, dots, dashes, underscores", tokenName)
    .option("--tenant <guids>", "for which tenants it enrolls, comma-separated; * for all", tenantsOrAll)
    .addOption(
      new Option("--role <role>", "installer: it enrolls; operator: it opens the console, for all tenants")
        .choices(["installer", "operator"])
        .default("installer"),
    )
    .option("--expires <time>", "how long it is valid (90d, 12h); default: no end", lifetime);
  const list = new Command("list")
    .description("Prints the tokens: names, roles, tenants, dates.")
    .option("--json", "one JSON object a line");
  const revoke = new Command("revoke").description("Takes a token back.").argument("<name>", "its name");
  withFile(create, (path) => createToken(path, create.opts<CreateFlags>()));
  withFile(list, (path) => listTokens(path, list.opts<{ json?: true }>().json === true));
  withFile(revoke, (path) => revokeToken(path, revoke.args[0]!));
  return tokens.addCommand(create).addCommand(list).addCommand(revoke);
}

const groups: readonly Group[] = ["serve"];

function withFile(command: Command, run: (path: string) => void): void {
  addSettingFlags(command, groups).action(() => {
    const settings: Settings | null = readSettings(command, groups, { required: ["tokensFile"] });
    if (settings !== null) run(settings.tokensFile ?? "");
  });
}

function createToken(path: string, { name, tenant, role, expires }: CreateFlags): void {
  const wrong = tenantsProblem(role, tenant);
  if (wrong !== null) return fail(wrong, exitCodes.usage);
  const token = tokenPrefix + randomBytes(tokenBytes).toString("base64url");
  const nowMs = systemClock.wallMs();
  const entry: TokenEntry = {
    name,
    sha256: tokenHash(token),
    tenants: [...(tenant ?? ["*"])],
    ...(role === "operator" ? { role } : {}),
    created: new Date(nowMs).toISOString(),
    ...(expires === undefined ? {} : { expires: new Date(nowMs + expires).toISOString() }),
  };
  const changed = changeTokens(path, "create", (tokens) => {
    if (!tokens.some((each) => each.name === name)) return [...tokens, entry];
    return {
      code: "token-name-taken",
      message: `There is a token ${name} already.`,
      fix: `Choose another name, or type: connector-registrar tokens revoke ${name}`,
    };
  });
  if (changed !== null) return fail(changed, exitCodes.usage);
  print(token);
  const use =
    role === "operator"
      ? "Sign in with it at /console of serve."
      : "Send it as: Authorization: Bearer <token>";
  say(`  This is the only time that it is shown. ${use}\n`);
}

function tenantsProblem(role: Role, tenant: readonly string[] | undefined): Problem | null {
  if (role === "installer" && tenant === undefined) {
    return {
      code: "tenant-missing",
      message: "A token that enrolls needs its tenants.",
      fix: "Type: connector-registrar tokens create --name <name> --tenant <guids>, or --tenant '*' for all",
    };
  }
  if (role === "installer" || tenant === undefined || tenant.includes("*")) return null;
  return {
    code: "operator-tenants",
    message: "An operator sees all tenants: its token can't be for some of them.",
    fix: "Leave --tenant out: connector-registrar tokens create --role operator --name <name>",
  };
}

function listTokens(path: string, json: boolean): void {
  const read = loadTokens(path);
  if (!read.ok) return fail(read.problem, exitCodes.usage);
  const nowMs = systemClock.wallMs();
  for (const { sha256: _, ...entry } of read.tokens) {
    const expired = entry.expires !== undefined && Date.parse(entry.expires) <= nowMs;
    if (json) print(JSON.stringify({ ...entry, expired }));
    else
      print(
        `${entry.name}  ${entry.role ?? "installer"}  ${entry.tenants.join(",")}  created ${entry.created}  ${expired ? "expired" : "expires"} ${entry.expires ?? "never"}`,
      );
  }
  if (!json && read.tokens.length === 0) say("no tokens\n");
}

function revokeToken(path: string, name: string): void {
  const changed = changeTokens(path, "revoke", (tokens) => {
    if (tokens.some((each) => each.name === name)) return tokens.filter((each) => each.name !== name);
    return {
      code: "token-unknown",
      message: `There is no token ${JSON.stringify(name)}.`,
      fix: "Type: connector-registrar tokens list",
    };
  });
  if (changed !== null) return fail(changed, exitCodes.usage);
  print(`revoked ${name}; serve refuses it within a second`);
}

function tokenName(text: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError("It takes 1 to 64 letters, digits, dots, dashes and underscores.");
}

function tenantsOrAll(text: string): string[] {
  if (text.trim() === "*") return ["*"];
  return guids(text);
}

function lifetime(text: string): number {
  if (!/^[1-9]\d{0,5}[smhd]$/.test(text)) throw new InvalidArgumentError("Not a time such as 12h or 90d.");
  return durationMs(text);
}
