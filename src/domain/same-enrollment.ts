/**
 * Is an object in Graph the one that was made of an enrollment, although Graph changed its properties? Graph may keep
 * instants in UTC and with fewer digits, cut or rounded, and names trimmed or in another case.
 *
 * A form says what a server does to what it keeps. Two values are the same under a form if it could have made one of the
 * other. The coarser the form, the more enrollments look alike: who relies on it must rule the others out. Pure.
 */
import type { GraphChange } from "../graph-port.ts";
import { readDateTimeOffset } from "./date-time-offset.ts";
import type { EnrollmentDetails } from "./enrollment.ts";
import { foldMachineName } from "./identity.ts";

export type Identifying = Pick<EnrollmentDetails, "machineName" | "connectorName" | "enrollmentDateTime">;

export interface Form {
  /** Instants are kept in whole multiples of this number of ticks of 100 ns. */
  readonly unitTicks: number;
  /** Names lose their outer blanks. */
  readonly trims: boolean;
  /** Names come back in another case; machine names may under any form. */
  readonly folds: boolean;
}

type NameForm = Omit<Form, "unitTicks">;

/** The least first. */
const nameForms: readonly NameForm[] = [
  { trims: false, folds: false },
  { trims: true, folds: false },
  { trims: false, folds: true },
  { trims: true, folds: true },
];
const units: readonly { readonly ticks: number; readonly change: GraphChange | null }[] = [
  { ticks: 1, change: null },
  { ticks: 10, change: "microseconds" },
  { ticks: 10_000, change: "milliseconds" },
  { ticks: 10_000_000, change: "seconds" },
];
/** For people. */
export const changeTexts: Readonly<Record<GraphChange, string>> = {
  microseconds: "date-times come back in whole microseconds",
  milliseconds: "date-times come back in whole milliseconds",
  seconds: "date-times come back in whole seconds",
  utc: "date-times come back in UTC",
  "trimmed-names": "names come back trimmed",
  "name-case": "names come back in another case",
};
const ticksPerSecond = 10_000_000;

export const exactForm: Form = { unitTicks: 1, trims: false, folds: false };

/** The least that a server must have done to make `kept` of `sent`; null: it is something else. */
export function formBetween(sent: Identifying, kept: Identifying): Form | null {
  const unitTicks = unitBetween(sent.enrollmentDateTime, kept.enrollmentDateTime);
  const names = nameForms.find((form) => areNamesSame(sent, kept, form));
  return unitTicks === null || names === undefined ? null : { unitTicks, ...names };
}

export function isSameUnder(form: Form, sent: Identifying, kept: Identifying): boolean {
  const between = formBetween(sent, kept);
  return between !== null && isWithin(between, form);
}

function isWithin(form: Form, coarser: Form): boolean {
  const isNameWithin = (!form.trims || coarser.trims) && (!form.folds || coarser.folds);
  return form.unitTicks <= coarser.unitTicks && isNameWithin;
}

/** Names alone, and instants alone: of properties that don't identify, too. */
export function isSameName({ trims, folds }: NameForm, a: string, b: string): boolean {
  if (a === b) return true;
  const of = (name: string) => {
    const text = trims ? name.trim() : name;
    return folds ? foldMachineName(text) : text;
  };
  return of(a) === of(b);
}

export function isSameInstant(form: Form, sent: string, kept: string): boolean {
  const unitTicks = unitBetween(sent, kept);
  return unitTicks !== null && unitTicks <= form.unitTicks;
}

/** Of each kind the coarser. */
export function coarser(a: Form, b: Form): Form {
  const unitTicks = Math.max(a.unitTicks, b.unitTicks);
  return { unitTicks, trims: a.trims || b.trims, folds: a.folds || b.folds };
}

/** The coarsest form that none of these contradicts: a server that kept a digit, a blank or a capital does not drop it. */
export function coarsestOf(kept: readonly Identifying[]): Form {
  const fractions = kept.map(({ enrollmentDateTime }) => readDateTimeOffset(enrollmentDateTime));
  const isKept = (ticks: number) =>
    fractions.every((instant) => typeof instant === "string" || instant.fraction % ticks === 0);
  const unitTicks = units.findLast(({ ticks }) => isKept(ticks))?.ticks ?? 1;
  const names = kept.flatMap(({ machineName, connectorName }) => [machineName, connectorName]);
  const isMixed = ({ connectorName }: Identifying) =>
    connectorName !== connectorName.toLowerCase() && connectorName !== connectorName.toUpperCase();
  const trims = names.every((name) => name === name.trim());
  return { unitTicks, trims, folds: !kept.some(isMixed) };
}

/** Two with the same key can only be distinguished by their instants, under any form. */
export function looseKey({ machineName, connectorName }: Identifying): string {
  return `${foldMachineName(machineName.trim())}\0${foldMachineName(connectorName.trim())}`;
}

/** What a server did to make `kept` of `sent`; empty: nothing. */
export function changesBetween(sent: Identifying, kept: Identifying): GraphChange[] {
  const form = formBetween(sent, kept);
  if (form === null) return [];
  const { change } = units.find(({ ticks }) => ticks === form.unitTicks)!;
  const changes: GraphChange[] = change === null ? [] : [change];
  const isUtc = (text: string) => /(Z|[+-]00:00)$/i.test(text);
  if (isUtc(kept.enrollmentDateTime) && !isUtc(sent.enrollmentDateTime)) changes.push("utc");
  if (form.trims) changes.push("trimmed-names");
  if (form.folds) changes.push("name-case");
  return changes;
}

/** The least unit under which the second may be the first, cut or rounded. */
function unitBetween(sent: string, kept: string): number | null {
  // Nearly always so, where Graph changes nothing: to read both takes longer than all else here.
  if (sent === kept) return 1;
  const [a, b] = [readDateTimeOffset(sent), readDateTimeOffset(kept)];
  if (typeof a === "string" || typeof b === "string" || Math.abs(a.seconds - b.seconds) > 1) return null;
  const lostTicks = (a.seconds - b.seconds) * ticksPerSecond + a.fraction - b.fraction;
  const unit = units.find(({ ticks }) => {
    return b.fraction % ticks === 0 && lostTicks < ticks && lostTicks >= -ticks / 2;
  });
  return unit?.ticks ?? null;
}

function areNamesSame(a: Identifying, b: Identifying, form: NameForm): boolean {
  const isMachine = isSameName({ trims: form.trims, folds: true }, a.machineName, b.machineName);
  return isMachine && isSameName(form, a.connectorName, b.connectorName);
}
