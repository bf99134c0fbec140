/** Takes objects out of the emulated Graph by its own DELETE, as an administrator would. */
import type { GraphProcess } from "../graph-process.ts";
import type { Removable } from "./window-check.ts";

const path = "/beta/deviceManagement/certificateConnectorDetails";
const atOnce = 8;
const timeoutMs = 3_000;
/** Tokens live for an hour. */
const renewTokenMs = 1_800_000;

/** Those that are gone now; the others stay for the next time: Graph's faults strike here too. */
export type Removing = (wanted: readonly Removable[], nowMs: number) => Promise<readonly Removable[]>;

export function createRemoving({ url, environment }: GraphProcess): Removing {
  const tokens = new Map<string, { readonly text: string; readonly atMs: number }>();

  async function tokenOf(tenantId: string, nowMs: number): Promise<string | null> {
    const known = tokens.get(tenantId);
    if (known !== undefined && nowMs - known.atMs < renewTokenMs) return known.text;
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: environment.AZURE_CLIENT_ID ?? "",
      client_secret: environment.AZURE_CLIENT_SECRET ?? "",
      scope: "https://graph.microsoft.com/.default",
    });
    const answer = await fetch(`${url}/${tenantId}/oauth2/v2.0/token`, {
      method: "POST",
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!answer.ok) return null;
    const { access_token: text } = (await answer.json()) as { access_token: string };
    tokens.set(tenantId, { text, atMs: nowMs });
    return text;
  }

  async function remove({ tenantId, id }: Removable, nowMs: number): Promise<boolean> {
    try {
      const token = await tokenOf(tenantId, nowMs);
      if (token === null) return false;
      const answer = await fetch(`${url}${path}/${id}`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(timeoutMs),
      });
      await answer.body?.cancel();
      return answer.status === 204 || answer.status === 404;
    } catch {
      return false;
    }
  }

  return async (wanted, nowMs) => {
    const left = [...wanted];
    const gone: Removable[] = [];
    const work = async () => {
      for (let one = left.pop(); one !== undefined; one = left.pop())
        if (await remove(one, nowMs)) gone.push(one);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return gone;
  };
}
