/** The demo's result for people: what went in, what came out, and whether that is right. */
import type { DemoPlan } from "./plan.ts";
import type { Verification } from "./verify.ts";

const labelWidth = 54;
const lineWidth = 79;

export function reportLines(
  plan: DemoPlan,
  { counts, problems }: Verification,
  { answers, elapsedMs }: { readonly answers: string; readonly elapsedMs: number },
): string[] {
  const right = (is: number, should: number) => (is === should ? "ok" : `should be ${should}`);
  const row = (label: string, value: number, note = "") =>
    `  ${label.padEnd(labelWidth)}${String(value).padStart(7)}  ${note}`.trimEnd();
  const { bad } = plan;
  return [
    "",
    "What went into connector.enrolled",
    row("enrollments, each of them different", counts.events),
    row("the same enrollments again, under other event ids", plan.duplicates),
    row("bad records", bad),
    "What came out",
    row(
      "objects in Graph, one for each enrollment",
      counts.graphObjects,
      right(counts.graphObjects, counts.events),
    ),
    row(
      "records in connector.registered, with their ids",
      counts.registered,
      right(counts.registered, counts.events),
    ),
    row("  of these found in Graph after a lost reply", counts.recovered),
    row("duplicates ignored", counts.duplicatesIgnored, right(counts.duplicatesIgnored, plan.duplicates)),
    row("dead letters, each with its reason", counts.deadLettered, right(counts.deadLettered, bad)),
    row("enrollments with more than one object", counts.duplicateObjects, right(counts.duplicateObjects, 0)),
    row("records lost", counts.lost, right(counts.lost, 0)),
    "",
    ...wrapped(`Graph answered: ${answers}.`),
    problems.length === 0
      ? `Every enrollment was registered exactly once, in ${(elapsedMs / 1000).toFixed(1)} s.`
      : `Not as it should be:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
  ];
}

/** Lines of a terminal's usual width, broken between words. */
function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (line.length <= lineWidth || lines.at(-1) === "") lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

/** Counts by operation and result -> `201 180 times, 429 12 times, reset once`; an item of a $batch counts as one. */
export function answersText(requests: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  const sums = new Map<string, number>();
  for (const [operation, results] of Object.entries(requests)) {
    if (operation === "entra" || operation === "batch") continue;
    for (const [result, count] of Object.entries(results)) sums.set(result, (sums.get(result) ?? 0) + count);
  }
  const parts = [...sums]
    .sort(([, a], [, b]) => b - a)
    .map(([result, count]) => `${result} ${count === 1 ? "once" : `${count} times`}`);
  return parts.length === 0 ? "nothing" : parts.join(", ");
}
