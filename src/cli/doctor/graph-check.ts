/** What `doctor` finds out about Graph, tenant by tenant: the token and its roles, the route, the permission to read. */

import { cloudsWarnings, credentialLine, proxiesInUse } from "../../compose/graph-settings.ts";
import { consentOf, type Tenants } from "../../compose/tenants.ts";
import { openGraphFrom } from "../../compose.ts";
import type { Settings } from "../../config/table.ts";
import type { GraphObject, ListReply } from "../../graph-port.ts";
import { classify, type Verdict } from "../../policy/classify.ts";
import type { Clock } from "../../ports.ts";
import { type Finding, note, ok, warning, wrong } from "./finding.ts";
import { rolesOf } from "./token-roles.ts";

const permission = "DeviceManagementConfiguration.ReadWrite.All";

const maxTenants = 20;

/** One finding for each tenant; `onListed` gets the objects of those whose list could be read. */
export async function checkGraph(
  { settings, tenants: all }: { readonly settings: Settings; readonly tenants: Tenants },
  clock: Clock,
  onListed: (tenantId: string, objects: readonly GraphObject[]) => void,
): Promise<Finding[]> {
  const { graph, tokenOf, expiries, close } = await openGraphFrom(settings, clock, { tenants: all });
  const listed = [...all.served.list().keys()];
  const tenants = listed.slice(0, maxTenants);
  const findings: Finding[] = [
    note("graph", credentialLine(settings)),
    ...cloudsWarnings(settings, all).map(({ text, fix }) => warning("graph", text, fix)),
    ...proxiesInUse(settings).map((text) => note("graph", text)),
  ];
  try {
    for (const tenantId of tenants) {
      const consent = consentOf(settings, all, tenantId) ?? "";
      const way = { grant: wayToGrant(settings, consent), consent };
      const token = await tokenOf(tenantId);
      const found = token.ok
        ? lackingRole(tenantId, rolesOf(token.token), way)
        : refusedToken(tenantId, token, way);
      if (found !== null) {
        findings.push(found);
        continue;
      }
      const reply = await graph.list(tenantId);
      if (reply.kind === "listed") onListed(tenantId, reply.objects);
      findings.push(judge(tenantId, reply, { way, wallMs: clock.wallMs() }));
    }
  } finally {
    await close();
  }
  for (const { expiresAtWallMs } of expiries()) findings.push(expiry(expiresAtWallMs, clock.wallMs()));
  const left = listed.length - tenants.length;
  if (left > 0) findings.push(note("graph", `${left} more tenants were not asked; type: tenants check`));
  return findings;
}

const dayMs = 86_400_000;
/** To renew a certificate takes some time. */
const expiresSoonMs = 30 * dayMs;

function expiry(expiresAtMs: number, nowMs: number): Finding {
  const days = Math.floor((expiresAtMs - nowMs) / dayMs);
  const text = `the certificate expires on ${new Date(expiresAtMs).toISOString().slice(0, 10)}, in ${days} days`;
  if (expiresAtMs - nowMs > expiresSoonMs) return ok("graph", text);
  const fix =
    "Upload a new certificate to the app registration, then replace the file AZURE_CLIENT_CERTIFICATE_PATH: it is read again by itself.";
  return warning("graph", text, fix);
}

/** Null: it has it, or can't be looked into. Reading works with less, creating does not. */
function lackingRole(tenantId: string, roles: readonly string[] | null, way: Way): Finding | null {
  if (roles === null || roles.includes(permission)) return null;
  const has = roles.length === 0 ? "none at all" : roles.join(", ");
  const text = `tenant ${tenantId}: the token lacks the role ${permission}; it has ${has}`;
  return wrong("graph", { text, fix: way.grant, retryable: false });
}

/** How a tenant gives its consent to the application. */
interface Way {
  readonly grant: string;
  /** The address for its administrator. */
  readonly consent: string;
}

interface Refused {
  readonly reason: "credential" | "application" | "connect";
  readonly detail: string;
  readonly fix?: string;
}

/** Null: the token was not refused. The check of the list, which needs a token too, then says why there is none. */
function refusedToken(tenantId: string, { reason, detail, fix }: Refused, { consent }: Way): Finding | null {
  if (reason === "connect" || fix === undefined) return null;
  const withAddress = fix.replace("the address of consent that `doctor` shows.", consent);
  const then = withAddress === fix ? " Then type doctor again." : "";
  return wrong("graph", { text: `tenant ${tenantId}: ${detail}`, fix: withAddress + then, retryable: false });
}

/** Who has to be given what, as what the credential is. */
function wayToGrant(settings: Settings, consent: string): string {
  switch (settings.credential?.kind) {
    case "managed-identity":
      return `Give the service principal of the managed identity the application permission ${permission} (by Graph or PowerShell: the portal can't)`;
    case "azure-cli":
      return "Tokens of the Azure CLI mostly lack it: choose another credential, by GRAPH_CREDENTIAL";
    default:
      return `Give the app registration the application permission ${permission}, and let an administrator of the tenant open ${consent}`;
  }
}

function judge(
  tenantId: string,
  reply: ListReply,
  { way, wallMs }: { readonly way: Way; readonly wallMs: number },
): Finding {
  const where = `tenant ${tenantId}`;
  if (reply.kind === "listed") {
    const count = reply.objects.length;
    if (reply.incomplete === null)
      return ok("graph", `${where}: token, role and route are right; it has ${count} connectors`);
    const fix =
      "Type doctor again in a minute; if this stays, what was created without an answer can't be found.";
    return wrong("graph", {
      text: `${where}: of its connectors only ${count} can be read: ${reply.incomplete}`,
      fix,
      retryable: true,
    });
  }
  if (reply.kind === "silence") {
    const { detail } = reply;
    const fix =
      "Check the network, and GRAPH_BASE_URL, AZURE_AUTHORITY_HOST and GRAPH_CA_FILE where they are set.";
    return wrong("graph", {
      text: `${where}: no answer of Graph (${reply.reason}): ${detail}`,
      fix,
      retryable: reply.code !== "untrusted-ca",
    });
  }
  const verdict = classify(reply, wallMs);
  const answer = `${where}: Graph answers ${"detail" in verdict ? verdict.detail : reply.status}`;
  const retryable = verdict.kind !== "tenant-blocked" && verdict.kind !== "no-route";
  return wrong("graph", { text: answer, fix: remedy(verdict, way), retryable });
}

function remedy(verdict: Verdict, { grant }: Way): string {
  if (verdict.kind === "tenant-blocked") {
    return `Check that the tenant has an Intune licence. ${grant}`;
  }
  if (verdict.kind === "no-route") {
    return "Check GRAPH_CLOUD and GRAPH_BASE_URL, and that the tenant has Intune.";
  }
  return "Type doctor again in a minute; if this stays, look at the service health of Microsoft 365.";
}
