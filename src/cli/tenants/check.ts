/** Whether tenants can be served: a token, and one list of their connectors. So many at a time, in order. */
import type { OpenedGraph } from "../../compose.ts";

export interface Checked {
  readonly tenantId: string;
  readonly ok: boolean;
  readonly text: string;
  /** What to type or do. */
  readonly fix: string | null;
}

export interface CheckOptions {
  readonly concurrency: number;
  /** Where the tenant's administrator consents. */
  readonly consent: (tenantId: string) => string | null;
  readonly signal: AbortSignal;
  readonly onChecked: (checked: Checked) => void;
}

export async function checkTenants(
  opened: Pick<OpenedGraph, "tokenOf" | "graph">,
  tenantIds: readonly string[],
  { concurrency, consent, signal, onChecked }: CheckOptions,
): Promise<void> {
  const left = [...tenantIds];
  const work = async (): Promise<void> => {
    for (let id = left.shift(); id !== undefined && !signal.aborted; id = left.shift())
      onChecked(await checkOne(opened, id, consent(id)));
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, tenantIds.length) }, work));
}

async function checkOne(
  { tokenOf, graph }: Pick<OpenedGraph, "tokenOf" | "graph">,
  tenantId: string,
  consent: string | null,
): Promise<Checked> {
  const toConsent = consent === null ? null : `Let an administrator of the tenant open ${consent}`;
  const token = await tokenOf(tenantId);
  if (!token.ok) {
    const fix = token.reason === "credential" ? (toConsent ?? token.fix ?? null) : (token.fix ?? null);
    return { tenantId, ok: false, text: `no token: ${token.detail}`, fix };
  }
  const reply = await graph.list(tenantId);
  if (reply.kind === "listed") {
    const { length } = reply.objects;
    if (reply.incomplete === null)
      return { tenantId, ok: true, text: `it has ${length} connectors`, fix: null };
    return {
      tenantId,
      ok: false,
      text: `of its connectors only ${length} can be read: ${reply.incomplete}`,
      fix: null,
    };
  }
  if (reply.kind === "silence") return { tenantId, ok: false, text: `no answer: ${reply.detail}`, fix: null };
  // A tenant that never had a connector.
  if (reply.status === 404 && reply.errorCode !== "" && !isNoRoute(reply.errorMessage))
    return { tenantId, ok: true, text: "it has no connectors yet", fix: null };
  const text = `Graph answers ${reply.status} ${reply.errorCode} ${reply.errorMessage}`.trim();
  return { tenantId, ok: false, text, fix: [401, 403].includes(reply.status) ? toConsent : null };
}

function isNoRoute(message: string): boolean {
  return /No OData route|Resource not found for the segment/i.test(message);
}
