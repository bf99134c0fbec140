/**
 * Who is served, from the settings: ALLOWED_TENANTS, which is fixed, or TENANTS_FILE, which is read again whenever it changes.
 *
 * 1. A cloud may come with a later list. The addresses of one that tenants were in are fixed: its connections are open.
 */
import type { Settings } from "../config/table.ts";
import { authorityOf, type CloudName } from "../graph/clouds.ts";
import type { Clock } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { isPaused, type TenantChanges } from "../tenants/changes.ts";
import { type CloudAddresses, cloudNames } from "../tenants/definition.ts";
import { type FileProblem, parseTenantsNow, type TenantList, type TenantsContent } from "../tenants/parse.ts";
import { readTenantsFileNow } from "../tenants/read-file.ts";
import { createServed, listOf, type Served } from "../tenants/served.ts";
import { lineOf, watchTenantsFile } from "../tenants/watch.ts";

export type { TenantList };

export interface Tenants {
  readonly served: Served;
  /** As it is in use now. */
  readonly content: TenantsContent;
  /** `changes`: between the list in use and this one. */
  use(content: TenantsContent, changes: TenantChanges): void;
  /** Of the file that it was read from; null: there is none. */
  readonly mark: string | null;
}

interface Refused {
  readonly ok: false;
  readonly problem: Problem;
}

export type LoadedTenants = { readonly ok: true; readonly tenants: Tenants } | Refused;

type Judge = (s: Settings, content: TenantsContent, fixed: FixedAddresses | null) => FileProblem[];

/** Of the clouds that tenants are or were in. */
interface FixedAddresses {
  readonly clouds: ReadonlySet<string>;
  readonly addresses: CloudAddresses;
}

/** For who asks only whether a tenant is served: it needs none of the applications and clouds. */
export const anyApplication: Judge = () => [];

export function loadTenants(s: Settings, judgeList: Judge = judge): LoadedTenants {
  const { tenantsFile: path } = s;
  if (path === null) return { ok: true, tenants: fixedTenants(s) };
  const read = readTenantsFileNow(path);
  if (!read.ok) return refused(path, [{ pointer: "", text: read.text }]);
  const parsed = parseTenantsNow(read.bytes);
  if (!parsed.ok) return refused(path, parsed.problems, parsed.more);
  const { content } = parsed;
  const problems = judgeList(s, content, null);
  if (problems.length > 0) return refused(path, problems);
  return { ok: true, tenants: createTenants(s, content, read.mark) };
}

/** The list alone, for who needs neither credentials nor clouds. */
export function readTenantList(path: string): { readonly ok: true; readonly list: TenantList } | Refused {
  const read = readTenantsFileNow(path);
  if (!read.ok) return refused(path, [{ pointer: "", text: read.text }]);
  const parsed = parseTenantsNow(read.bytes);
  return parsed.ok ? { ok: true, list: parsed.content.tenants } : refused(path, parsed.problems, parsed.more);
}

/** Where an administrator of the tenant consents to what its application asks for; null: it has no application. */
export function consentOf(s: Settings, { served, content }: Tenants, tenantId: string): string | null {
  const cloud = served.cloudOf(tenantId) as CloudName;
  const clientId = served.entryOf(tenantId)?.clientId ?? s.azureClientId;
  const own = cloud === s.graphCloud ? s.azureAuthorityHost : content.clouds[cloud]?.authorityHost;
  const authority = authorityOf({ cloud, authorityHost: own ?? null }).replace(/\/+$/, "");
  return clientId === null ? null : `${authority}/${tenantId}/adminconsent?client_id=${clientId}`;
}

export function fixedTenants(s: Pick<Settings, "allowedTenants" | "graphCloud">): Tenants {
  return createTenants(s, { tenants: listOf(s.allowedTenants), clouds: {} }, null);
}

function createTenants(
  { graphCloud }: Pick<Settings, "graphCloud">,
  first: TenantsContent,
  mark: string | null,
): Tenants {
  const served = createServed(first.tenants, graphCloud);
  let content = first;
  return {
    served,
    get content() {
      return content;
    },
    use(next, changes) {
      // First: the report of the change may need an address of this cloud.
      content = next;
      served.replace(next.tenants, changes);
    },
    mark,
  };
}

const shownMax = 10;

function refused(path: string, problems: readonly FileProblem[], more = 0): Refused {
  const lines = problems.slice(0, shownMax).map(lineOf);
  const left = problems.length + more - lines.length;
  const message = `TENANTS_FILE=${path} can't be used: ${lines.join("; ")}${left > 0 ? `; and ${left} more` : ""}.`;
  return { ok: false, problem: { code: "tenants-file", message, fix: fixOf() } };
}

function fixOf(): string {
  return "Correct the file, then type: connector-registrar tenants list";
}

const problemsMax = 50;

/** What keeps a well-formed list from being served. `fixed`: null for the list that the process begins with. */
function judge(s: Settings, content: TenantsContent, fixed: FixedAddresses | null): FileProblem[] {
  const problems: FileProblem[] = [];
  if (s.graphCloud in content.clouds)
    problems.push({
      pointer: `/clouds/${s.graphCloud}`,
      text: "is the cloud of GRAPH_CLOUD: set GRAPH_BASE_URL and AZURE_AUTHORITY_HOST in its place",
    });
  if (fixed !== null) problems.push(...changedAddresses(content.clouds, fixed)); // 1
  const needsApp = s.credential?.kind !== "managed-identity" && s.credential?.kind !== "azure-cli";
  let index = 0;
  for (const { clientId, credential } of content.tenants.values()) {
    const pointer = `/tenants/${index++}`;
    if (problems.length >= problemsMax) break;
    if (credential === undefined && s.credential === null)
      problems.push({
        pointer: `${pointer}/credential`,
        text: "is missing, and the settings name none for all",
      });
    const hasApp = clientId !== undefined || s.azureClientId !== null;
    if (!hasApp && (credential !== undefined || needsApp))
      problems.push({ pointer: `${pointer}/clientId`, text: "is missing, and AZURE_CLIENT_ID is not set" });
  }
  return problems;
}

function changedAddresses(next: CloudAddresses, { clouds, addresses }: FixedAddresses): FileProblem[] {
  const names = cloudNames.filter(
    (name) => clouds.has(name) && !hasSameAddresses(addresses[name], next[name]),
  );
  const text =
    "has changed, and tenants were in this cloud already: start the worker again to use it, or take the change back";
  return names.map((name) => ({ pointer: `/clouds/${name}`, text }));
}

function hasSameAddresses(a: CloudAddresses["global"], b: CloudAddresses["global"]): boolean {
  return a?.graphUrl === b?.graphUrl && a?.authorityHost === b?.authorityHost;
}

export interface TenantCounts {
  readonly served: number;
  readonly paused: number;
}

export interface FollowedTenants {
  /** Reads the file again, also where nothing seems to have changed. */
  readNow(): void;
  /** What is wrong with the present file; null: nothing. */
  problem(): string | null;
  close(): void;
}

export type TenantsNote =
  | {
      readonly kind: "reloaded";
      /** How many of each. */
      readonly added: number;
      readonly removed: number;
      readonly paused: number;
      readonly resumed: number;
      readonly changed: number;
      readonly durationMs: number;
    }
  | { readonly kind: "bad"; readonly problems: readonly string[]; readonly fix: string };

/** Null: there is no file. */
export function followTenants(
  s: Settings,
  tenants: Tenants,
  {
    clock,
    onNote,
    judgeList = judge,
  }: { readonly clock: Clock; readonly onNote: (note: TenantsNote) => void; readonly judgeList?: Judge },
): FollowedTenants | null {
  const { tenantsFile: path } = s;
  if (path === null || tenants.mark === null) return null;
  const clouds = new Set(tenants.served.clouds());
  const file = watchTenantsFile({
    path,
    first: tenants.content,
    firstMark: tenants.mark,
    judge: (next) => judgeList(s, next, { clouds, addresses: tenants.content.clouds }),
    clock,
    onReloaded({ content: next, changes, durationMs }) {
      tenants.use(next, changes);
      for (const cloud of tenants.served.clouds()) clouds.add(cloud);
      const { added, removed, paused, resumed, changed } = changes;
      onNote({
        kind: "reloaded",
        added: added.length,
        removed: removed.length,
        paused: paused.length,
        resumed: resumed.length,
        changed: changed.length,
        durationMs,
      });
    },
    onBad: (problems) => onNote({ kind: "bad", problems, fix: fixOf() }),
  });
  return {
    readNow: () => void file.readNow(),
    problem: file.problem,
    close: file.close,
  };
}

/** Counted once for each list: it may be long. */
export function countTenants(served: Pick<Served, "list">): () => TenantCounts {
  let counted: TenantList | null = null;
  let counts: TenantCounts = { served: 0, paused: 0 };
  return () => {
    const list = served.list();
    if (list !== counted) {
      let paused = 0;
      for (const tenant of list.values()) if (isPaused(tenant)) paused++;
      counts = { served: list.size - paused, paused };
      counted = list;
    }
    return counts;
  };
}
