/**
 * Whether the application can get a token, and reach Graph: what a worker asks before it works. A credential that is refused or
 * an untrusted CA keeps every tenant from being served, and waiting changes neither: that is a problem. Everything else may
 * pass, or concerns one tenant: that is a warning.
 */
import type { GraphSilence } from "../graph-port.ts";
import type { Clock } from "../ports.ts";
import type { Problem } from "../problem.ts";
import type { TokenFailure } from "./credentials/token-cache.ts";
import type { OpenedGraph } from "./graph-client.ts";

export interface GraphAccess {
  /** What is wrong and what to type. */
  readonly problem: Problem | null;
  readonly warnings: readonly string[];
}

type Failure = TokenFailure | GraphSilence;
type Opened = Pick<OpenedGraph, "tokenOf" | "reach">;

/** The authority looks at the credential only where it knows the tenant and the application: to some it may be unknown. */
const maxTenantsAsked = 5;

interface Asked {
  readonly tenants: readonly string[];
  readonly caFile: string | null;
  readonly limitMs: number;
}

/** Sends no request to Graph. Ends within `limitMs`, whatever does not answer. */
export async function checkAccess(
  opened: Opened,
  { tenants, caFile, limitMs }: Asked,
  clock: Clock,
): Promise<GraphAccess> {
  const { promise: expired, resolve: expire } = Promise.withResolvers<Failure[]>();
  const cancel = clock.after(limitMs, () => {
    const detail = `Graph or the authority did not answer within ${limitMs} ms`;
    expire([{ ok: false, reason: "connect", detail }]);
  });
  const failures = await Promise.race([ask(opened, tenants), expired]);
  cancel();
  const refused = failures.find(({ reason }) => reason === "application");
  const untrusted = failures.find(({ code }) => code === "untrusted-ca");
  if (refused !== undefined) return { problem: credentialRefused(refused), warnings: [] };
  if (untrusted !== undefined) return { problem: untrustedCa(untrusted.detail, caFile), warnings: [] };
  return { problem: null, warnings: failures.map(told) };
}

async function ask({ tokenOf, reach }: Opened, tenants: readonly string[]): Promise<Failure[]> {
  const [tokens, silence] = await Promise.all([tokenFailures(tenants, tokenOf), reach()]);
  return silence === null ? tokens : [...tokens, silence];
}

/** Of the first tenants, up to the first whose answer says something of the credential, or does not come. */
async function tokenFailures(
  tenants: readonly string[],
  tokenOf: OpenedGraph["tokenOf"],
): Promise<Failure[]> {
  const failures: TokenFailure[] = [];
  for (const tenantId of tenants.slice(0, maxTenantsAsked)) {
    const token = await tokenOf(tenantId);
    if (token.ok) break;
    failures.push(token);
    if (token.reason !== "credential") break;
  }
  return failures;
}

function told(failure: Failure): string {
  return "fix" in failure && failure.fix !== undefined ? `${failure.detail}. ${failure.fix}` : failure.detail;
}

function credentialRefused(failure: Failure): GraphAccess["problem"] {
  const fix = "fix" in failure ? failure.fix : undefined;
  return {
    code: "credential-refused",
    message: `No tenant can be served: ${failure.detail}.`,
    fix: `${fix ?? "Check AZURE_CLIENT_ID and the credential."} Then start again.`,
  };
}

function untrustedCa(detail: string, caFile: string | null): GraphAccess["problem"] {
  const instead = caFile === null ? "" : ` GRAPH_CA_FILE=${caFile} does not hold that CA.`;
  const path = "'<path of a PEM file with the CA>'";
  return {
    code: "untrusted-ca",
    message: `No tenant can be served: ${detail}.${instead}`,
    fix: `Type: export NODE_EXTRA_CA_CERTS=${path} (or: export GRAPH_CA_FILE=${path}), and start again.`,
  };
}
