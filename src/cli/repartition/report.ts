/** What `repartition` did, or would do, as lines for people and as one JSON object. */
import { topicName, topics } from "../../domain/topics.ts";
import type { Report } from "../../repartition/run.ts";
import { plain } from "../terminal.ts";

const shownMax = 20;

export function reportLines(report: Report, topicPrefix: string): string[] {
  const { from, partitions, dryRun, enrollments, copied, carried } = report;
  const raised = topics.filter((topic) => from[topic] < partitions);
  const is = dryRun ? "would have" : "has";
  const counts = raised.map(
    (topic) => `${topicName(topic, topicPrefix)} ${is} ${partitions} partitions (${from[topic]} before)`,
  );
  const copies = `${copied} registered ${copied === 1 ? "record" : "records"} ${dryRun ? "would be" : "were"} copied to the tenant's new partition; ${enrollments} enrollments are registered`;
  const rest = `${carried} unsettled ${carried === 1 ? "record" : "records"} ${dryRun ? "would be" : "were"} carried over to the retry topic`;
  const done = dryRun
    ? "Nothing was changed."
    : "All is in place: start the workers. Producers find the new partitions by themselves.";
  if (isInPlace(report))
    return [`${partitions} partitions, and ${enrollments} enrollments in place: nothing to do`];
  return [...counts, copies, ...(carried > 0 ? [rest] : []), ...twoIdsLines(report), done];
}

/** Nothing had to be done. */
export function isInPlace({ from, partitions, copied, carried }: Report): boolean {
  return topics.every((topic) => from[topic] >= partitions) && copied + carried === 0;
}

function twoIdsLines({ twoIds }: Report): string[] {
  if (twoIds.length === 0) return [];
  const shown = twoIds.slice(0, shownMax).map(({ tenantId, idempotencyKey, kept, other }) => {
    return plain(`  tenant ${tenantId}, enrollment ${idempotencyKey}: ${kept} counts, ${other} does not`);
  });
  const left = twoIds.length - shown.length;
  return [
    `${twoIds.length} enrollments were registered twice, under two Graph ids (type connector-registrar reconcile to look at them):`,
    ...shown,
    ...(left > 0 ? [`  and ${left} more; --json names all`] : []),
  ];
}

export function reportJson({ dryRun, from, partitions, enrollments, copied, carried, twoIds }: Report) {
  return { dryRun, from, partitions, enrollments, copied, carried, twoIds };
}
