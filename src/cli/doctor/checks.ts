/** What `doctor` finds out, part by part. Reads only: nothing is created, on the broker or in Graph. */
import { existsSync } from "node:fs";
import { openGraphFrom, openLog, proxiesInUse } from "../../compose.ts";
import type { Settings } from "../../config/table.ts";
import { classify, type Verdict } from "../../policy/classify.ts";
import type { Clock, ListReply } from "../../ports.ts";

export interface Finding {
  readonly part: "settings" | "log" | "graph";
  readonly status: "ok" | "note" | "wrong";
  readonly text: string;
  /** What to type or change; "" where nothing is wrong. */
  readonly fix: string;
  /** Whether it may pass without anybody's doing; else it is a matter of configuration. */
  readonly heals: boolean;
}

const permission = "DeviceManagementConfiguration.ReadWrite.All";

const maxTenants = 20;

export async function checkLog(settings: Settings, clock: Clock): Promise<Finding> {
  const place =
    settings.kafkaBrokers === null
      ? `the embedded log in ${settings.dataDir}`
      : `Kafka at ${settings.kafkaBrokers.join(",")}`;
  if (settings.kafkaBrokers === null && !existsSync(settings.dataDir))
    return note("log", `${place} is not there yet, start or emit creates it`);
  const opening = await openLog({ ...settings, topicsCreate: false }, clock);
  if (opening.ok) {
    await opening.log.close();
    return ok("log", `${place}: topics with ${opening.log.partitionCount} partitions and the right settings`);
  }
  if (settings.topicsCreate && opening.problem.code === "topics-missing")
    return note("log", `${place} answers; the topics are not there yet, start or emit creates them`);
  const { message, fix } = opening.problem;
  return { part: "log", status: "wrong", text: message, fix, heals: opening.heals };
}

/** One finding for each tenant. */
export async function checkGraph(settings: Settings, clock: Clock): Promise<Finding[]> {
  const { graph, close } = await openGraphFrom(settings, clock);
  const tenants = settings.allowedTenants.slice(0, maxTenants);
  const findings: Finding[] = proxiesInUse(settings).map((text) => note("graph", text));
  try {
    for (const tenantId of tenants) {
      findings.push(judge(tenantId, await graph.list(tenantId), clock.wallMs()));
    }
  } finally {
    await close();
  }
  const left = settings.allowedTenants.length - tenants.length;
  if (left > 0)
    findings.push(
      note("graph", `${left} more tenants were not asked; narrow ALLOWED_TENANTS to ask about them`),
    );
  return findings;
}

function judge(tenantId: string, reply: ListReply, wallMs: number): Finding {
  const where = `tenant ${tenantId}`;
  if (reply.kind === "listed") {
    const count = reply.objects.length;
    if (reply.incomplete !== null) {
      const fix =
        "Type doctor again in a minute; if this stays, what was created without an answer can't be found.";
      return wrong(`${where}: of its connectors only ${count} can be read: ${reply.incomplete}`, fix, true);
    }
    return ok("graph", `${where}: token, route and permission to read; it has ${count} connectors`);
  }
  if (reply.kind === "silence") {
    const { detail } = reply;
    if (reply.reason === "credential" || reply.reason === "secret") {
      const fix = "Correct AZURE_CLIENT_ID, AZURE_CLIENT_SECRET or ALLOWED_TENANTS, and type doctor again.";
      return wrong(`${where}: ${detail}`, fix, false);
    }
    const fix =
      "Check the network, and GRAPH_BASE_URL, AZURE_AUTHORITY_HOST and GRAPH_CA_FILE where they are set.";
    return wrong(
      `${where}: no answer of Graph (${reply.reason}): ${detail}`,
      fix,
      reply.code !== "untrusted-ca",
    );
  }
  const verdict = classify(reply, wallMs);
  const answer = `${where}: Graph answers ${"detail" in verdict ? verdict.detail : reply.status}`;
  return wrong(answer, remedy(verdict), verdict.kind !== "tenant-blocked" && verdict.kind !== "no-route");
}

function remedy(verdict: Verdict): string {
  if (verdict.kind === "tenant-blocked") {
    return `Grant the app the application permission ${permission}, with admin consent, in a tenant with an Intune licence.`;
  }
  if (verdict.kind === "no-route") {
    return "Check GRAPH_CLOUD and GRAPH_BASE_URL, and that the tenant has Intune.";
  }
  return "Type doctor again in a minute; if this stays, look at the service health of Microsoft 365.";
}

function ok(part: Finding["part"], text: string): Finding {
  return { part, status: "ok", text, fix: "", heals: true };
}

function note(part: Finding["part"], text: string): Finding {
  return { part, status: "note", text, fix: "", heals: true };
}

function wrong(text: string, fix: string, heals: boolean): Finding {
  return { part: "graph", status: "wrong", text, fix, heals };
}
