/** What `reconcile` found, for people and for programs. */
import type { GraphObject } from "../../graph-port.ts";
import { type Findings, isEqual } from "../../reconcile/compare.ts";
import { plain } from "../terminal.ts";
import type { InProgress, Survey, TenantResult } from "./survey.ts";

export interface Totals {
  readonly tenants: number;
  readonly registered: number;
  readonly inGraph: number;
  readonly missing: number;
  readonly orphaned: number;
  /** Enrollments with two or more objects, and the objects that the ledger proves superfluous. */
  readonly duplicated: number;
  readonly superfluous: number;
  readonly differing: number;
  readonly conflicting: number;
  /** Objects that are not registered yet or not listed yet, and may be so in the next report. */
  readonly inProgress: number;
  /** Registered after Graph's list was asked for: not compared. */
  readonly registeredSince: number;
  /** Tenants whose list is incomplete, so that nothing of them counts as missing. */
  readonly incomplete: number;
  /** Tenants that could not be compared. */
  readonly unanswered: number;
}

function totalsOf(results: Survey["results"]): Totals {
  const all = [...results.values()];
  const compared = all.flatMap((result) => (result.kind === "compared" ? [result.findings] : []));
  const sum = (of: (findings: Findings) => number) =>
    compared.reduce((total, findings) => total + of(findings), 0);
  return {
    tenants: all.length,
    registered: sum(({ registered }) => registered),
    inGraph: sum(({ inGraph }) => inGraph),
    missing: sum(({ missing }) => missing.length),
    orphaned: sum(({ orphaned }) => orphaned.length),
    duplicated: sum(({ duplicated }) => duplicated.length),
    superfluous: sum(({ duplicated }) => duplicated.flatMap((each) => each.superfluousIds).length),
    differing: sum(({ differing }) => differing.length),
    conflicting: sum(({ conflicting }) => conflicting.length),
    inProgress: all.reduce((total, result) => total + inProgressOf(result), 0),
    registeredSince: sum(({ registeredSince }) => registeredSince),
    incomplete: all.filter((result) => result.kind === "compared" && result.incomplete !== null).length,
    unanswered: all.length - compared.length,
  };
}

function inProgressOf(result: TenantResult): number {
  if (result.kind !== "compared") return 0;
  return result.inProgress.unregistered.length + result.inProgress.unlisted.length;
}

/** Every tenant was compared as a whole, nothing was found in any, and nothing is in progress. */
export function allEqual(results: Survey["results"]): boolean {
  return [...results.values()].every((result) => statusOf(result) === "equal");
}

type Status = "equal" | "in-progress" | "differs" | "incomplete" | "blocked" | "failed";

function statusOf(result: TenantResult): Status {
  if (result.kind !== "compared") return result.kind;
  if (result.incomplete !== null) return "incomplete";
  if (!isEqual(result.findings)) return "differs";
  return inProgressOf(result) === 0 ? "equal" : "in-progress";
}

export function reportLines({ results, notAsked, unreadableRecords }: Survey): string[] {
  const lines = [...results].flatMap(([tenantId, result]) => tenantLines(tenantId, result));
  for (const { tenantId, registered } of notAsked) {
    lines.push(`tenant ${plain(tenantId)}: not asked; ${registered} registered`);
  }
  if (unreadableRecords > 0) {
    lines.push(
      `${unreadableRecords} records of connector.registered are not registered events and were left out`,
    );
  }
  const totals = totalsOf(results);
  const { missing, orphaned, duplicated, differing, conflicting, unanswered } = totals;
  lines.push(
    `${missing} missing, ${orphaned} orphaned, ${duplicated} duplicated, ${differing} differing, ` +
      `${conflicting} with two ids; ${totals.registered} registered and ${totals.inGraph} in Graph, ` +
      `in ${totals.tenants - unanswered} of ${totals.tenants} tenants` +
      (totals.incomplete === 0 ? "" : `, ${totals.incomplete} of them listed in part`),
  );
  if (totals.inProgress > 0) {
    lines.push(`${totals.inProgress} objects in progress: type reconcile again when the workers' lag is 0`);
  }
  return lines;
}

function tenantLines(tenantId: string, result: TenantResult): string[] {
  if (result.kind !== "compared") {
    const what = result.kind === "blocked" ? "blocked" : "not compared";
    return [`tenant ${tenantId}: ${what}: ${plain(result.detail)}`];
  }
  const { findings, inProgress, incomplete } = result;
  const { registered, inGraph, registeredSince } = findings;
  const verdict = { equal: ", equal", "in-progress": ", work in progress" }[statusOf(result) as string] ?? "";
  const since = registeredSince === 0 ? "" : `; ${registeredSince} more registered since Graph was asked`;
  const part = incomplete === null ? [] : [`  ${"incomplete".padEnd(12)}${plain(incomplete)}`];
  return [
    `tenant ${tenantId}: ${registered} registered, ${inGraph} in Graph${verdict}${since}`,
    ...part,
    ...[...findingLines(findings), ...progressLines(inProgress)].map(
      ([kind, text]) => `  ${kind.padEnd(12)}${plain(text)}`,
    ),
  ];
}

function* findingLines(findings: Findings): Generator<readonly [kind: string, text: string]> {
  for (const { object } of findings.missing)
    yield ["missing", `${nameOf(object)}: registered as ${object.id}`];
  for (const { object } of findings.orphaned) yield ["orphaned", `${nameOf(object)}: ${object.id}`];
  for (const { objects, registeredId, superfluousIds } of findings.duplicated) {
    const ids = objects.map(({ id }) => {
      if (id === registeredId) return `${id} (registered)`;
      return superfluousIds.includes(id) ? `${id} (superfluous)` : id;
    });
    yield ["duplicated", `${nameOf(objects[0]!)}: ${ids.join(", ")}`];
  }
  for (const { registration, differences } of findings.differing) {
    const texts = differences.map(
      ({ property, registered, inGraph }) =>
        `${property} was registered as ${JSON.stringify(registered)}, is ${JSON.stringify(inGraph)}`,
    );
    yield ["differing", `${nameOf(registration.object)}: ${registration.object.id}: ${texts.join("; ")}`];
  }
  for (const { object, otherIds } of findings.conflicting) {
    yield ["two ids", `${nameOf(object)}: registered as ${[object.id, ...otherIds].join(" and as ")}`];
  }
}

function* progressLines({
  unregistered,
  unlisted,
}: InProgress): Generator<readonly [kind: string, text: string]> {
  for (const { object } of unregistered)
    yield ["in progress", `${nameOf(object)}: ${object.id} is not registered yet`];
  for (const { object } of unlisted)
    yield ["in progress", `${nameOf(object)}: ${object.id} is not listed yet`];
}

function nameOf({ machineName, connectorName, enrollmentDateTime }: GraphObject): string {
  return `${machineName} / ${connectorName}, enrolled ${enrollmentDateTime}`;
}

export interface Removed {
  readonly tenantId: string;
  readonly id: string;
}

/** One object: tenants in order, each with its findings whole. */
export function reportJson(
  { results, notAsked, unreadableRecords }: Survey,
  removed: readonly Removed[],
): unknown {
  return {
    equal: allEqual(results),
    ...totalsOf(results),
    removed,
    unreadableRecords,
    notAsked,
    results: [...results].map(([tenantId, result]) =>
      result.kind === "compared"
        ? {
            tenantId,
            status: statusOf(result),
            incomplete: result.incomplete,
            ...result.findings,
            inProgress: result.inProgress,
          }
        : { tenantId, status: result.kind, detail: result.detail },
    ),
  };
}
