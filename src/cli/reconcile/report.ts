/** What `reconcile` found, for people and for programs. */
import type { GraphObject } from "../../ports.ts";
import { type Findings, isEqual } from "../../reconcile/compare.ts";
import { plain } from "../terminal.ts";
import type { Survey, TenantResult } from "./survey.ts";

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
    incomplete: all.filter((result) => result.kind === "compared" && result.incomplete !== null).length,
    unanswered: all.length - compared.length,
  };
}

/** Every tenant was compared as a whole, and nothing was found in any. */
export function allEqual(results: Survey["results"]): boolean {
  return [...results.values()].every((result) => statusOf(result) === "equal");
}

function statusOf(result: TenantResult): "equal" | "differs" | "incomplete" | "blocked" | "failed" {
  if (result.kind !== "compared") return result.kind;
  if (result.incomplete !== null) return "incomplete";
  return isEqual(result.findings) ? "equal" : "differs";
}

export function reportLines({ results, notAsked, unreadableRecords }: Survey): string[] {
  const lines = [...results].flatMap(([tenantId, result]) => tenantLines(tenantId, result));
  for (const { tenantId, registered } of notAsked) {
    lines.push(`tenant ${plain(tenantId)}: not asked; ${registered} registered`);
  }
  if (unreadableRecords > 0) {
    lines.push(
      `${unreadableRecords} records of connector.registered are no registered events and were left out`,
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
  return lines;
}

function tenantLines(tenantId: string, result: TenantResult): string[] {
  if (result.kind !== "compared") {
    const what = result.kind === "blocked" ? "blocked" : "not compared";
    return [`tenant ${tenantId}: ${what}: ${plain(result.detail)}`];
  }
  const { findings, incomplete } = result;
  const equal = statusOf(result) === "equal" ? ", equal" : "";
  const part = incomplete === null ? [] : [`  ${"incomplete".padEnd(12)}${plain(incomplete)}`];
  return [
    `tenant ${tenantId}: ${findings.registered} registered, ${findings.inGraph} in Graph${equal}`,
    ...part,
    ...[...findingLines(findings)].map(([kind, text]) => `  ${kind.padEnd(12)}${plain(text)}`),
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
        ? { tenantId, status: statusOf(result), incomplete: result.incomplete, ...result.findings }
        : { tenantId, status: result.kind, detail: result.detail },
    ),
  };
}
