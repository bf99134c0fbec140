/**
 * Deletes objects that the ledger proves superfluous, and nothing else.
 *
 * 1. Nothing is deleted unless the registered object answers just before.
 */
import { createInterface } from "node:readline/promises";
import { type AskParts, answerText, askWithRetry } from "./ask-graph.ts";
import type { Removed } from "./report.ts";
import type { Survey } from "./survey.ts";

export interface Superfluous {
  readonly tenantId: string;
  readonly registeredId: string;
  readonly id: string;
}

export interface FixResult {
  readonly removed: readonly Removed[];
  /** One line each. */
  readonly failures: readonly string[];
}

export function superfluousIn(results: Survey["results"]): Superfluous[] {
  return [...results].flatMap(([tenantId, result]) => {
    if (result.kind !== "compared") return [];
    return result.findings.duplicated.flatMap(({ registeredId, superfluousIds }) =>
      registeredId === null ? [] : superfluousIds.map((id) => ({ tenantId, registeredId, id })),
    );
  });
}

export async function removeAll(parts: AskParts, objects: readonly Superfluous[]): Promise<FixResult> {
  const removed: Removed[] = [];
  const failures: string[] = [];
  for (const object of objects) {
    if (parts.signal.aborted) break;
    const failure = await removeOne(parts, object);
    if (failure === null) removed.push({ tenantId: object.tenantId, id: object.id });
    else failures.push(`${object.id} of tenant ${object.tenantId} was not deleted: ${failure}`);
  }
  return { removed, failures };
}

/** Null: it is gone. */
async function removeOne(parts: AskParts, object: Superfluous): Promise<string | null> {
  const { tenantId, registeredId, id } = object;
  const kept = await askWithRetry(parts, () => parts.graph.get(tenantId, registeredId));
  if (kept.kind !== "answer") return kept.detail;
  if (kept.status !== 200) {
    return `the registered object ${registeredId} does not answer: ${answerText(kept)}`; // 1
  }
  const answer = await askWithRetry(parts, () => parts.graph.remove(tenantId, id));
  if (answer.kind !== "answer") return answer.detail;
  const isGone = (answer.status >= 200 && answer.status < 300) || answer.status === 404;
  return isGone ? null : answerText(answer);
}

/** Asks on the terminal; anything but "yes" means no. */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // On a terminal readline takes Ctrl-C for itself.
  lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return (await lines.question(question, { signal })).trim().toLowerCase() === "yes";
  } catch {
    return false; // interrupted
  } finally {
    lines.close();
  }
}
