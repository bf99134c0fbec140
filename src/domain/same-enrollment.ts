/**
 * Is an object in Graph the one that was made of an enrollment, although Graph changed its properties? Graph may keep
 * instants in UTC and with fewer digits, cut or rounded, and names trimmed or in another case.
 *
 * A form says what a server does to what it keeps. Two values are the same under a form if it could have made one of the
 * other. The coarser the form, the more enrollments look alike: who relies on it must rule the others out. Pure.
 */
import { readDateTimeOffset } from "./date-time-offset.ts";
import type { EnrollmentDetails } from "./enrollment.ts";
import { foldMachineName } from "./identity.ts";

export type Identifying = Pick<EnrollmentDetails, "machineName" | "connectorName" | "enrollmentDateTime">;

export interface Form {
  /** Instants are kept in whole multiples of so many ticks of 100 ns. */
  readonly unitTicks: number;
  readonly names: NameForm;
}

/** "exact": as they came, but for the case of machine names. "folded": trimmed, and in another case. */
type NameForm = "exact" | "trimmed" | "folded";

const nameForms: readonly NameForm[] = ["exact", "trimmed", "folded"];
const units: readonly { readonly ticks: number; readonly text: string }[] = [
  { ticks: 1, text: "" },
  { ticks: 10, text: "date-times come back in whole microseconds" },
  { ticks: 10_000, text: "date-times come back in whole milliseconds" },
  { ticks: 10_000_000, text: "date-times come back in whole seconds" },
];
const ticksPerSecond = 10_000_000;

export const exactForm: Form = { unitTicks: 1, names: "exact" };

/** The least that a server must have done to make `kept` of `sent`; null: it is something else. */
export function formBetween(sent: Identifying, kept: Identifying): Form | null {
  const unitTicks = unitBetween(sent.enrollmentDateTime, kept.enrollmentDateTime);
  const names = nameForms.find((form) => areNamesSame(sent, kept, form));
  return unitTicks === null || names === undefined ? null : { unitTicks, names };
}

export function isSameUnder(form: Form, sent: Identifying, kept: Identifying): boolean {
  const between = formBetween(sent, kept);
  return between !== null && isWithin(between, form);
}

function isWithin(form: Form, coarser: Form): boolean {
  const isNameWithin = nameForms.indexOf(form.names) <= nameForms.indexOf(coarser.names);
  return form.unitTicks <= coarser.unitTicks && isNameWithin;
}

/** Names alone, and instants alone: of properties that don't identify, too. */
export function isSameName(form: Form, a: string, b: string): boolean {
  if (form.names === "exact") return a === b;
  return form.names === "trimmed"
    ? a.trim() === b.trim()
    : foldMachineName(a.trim()) === foldMachineName(b.trim());
}

export function isSameInstant(form: Form, sent: string, kept: string): boolean {
  const unitTicks = unitBetween(sent, kept);
  return unitTicks !== null && unitTicks <= form.unitTicks;
}

/** Of each kind the coarser. */
export function coarser(a: Form, b: Form): Form {
  const names = nameForms.indexOf(a.names) > nameForms.indexOf(b.names) ? a.names : b.names;
  return { unitTicks: Math.max(a.unitTicks, b.unitTicks), names };
}

/** The coarsest form that none of these contradicts: a server that kept a digit, a blank or a capital does not drop it. */
export function coarsestOf(kept: readonly Identifying[]): Form {
  const fractions = kept.map(({ enrollmentDateTime }) => readDateTimeOffset(enrollmentDateTime));
  const isKept = (ticks: number) =>
    fractions.every((instant) => typeof instant === "string" || instant.fraction % ticks === 0);
  const unitTicks = units.findLast(({ ticks }) => isKept(ticks))?.ticks ?? 1;
  const names = kept.flatMap(({ machineName, connectorName }) => [machineName, connectorName]);
  if (names.some((name) => name !== name.trim())) return { unitTicks, names: "exact" };
  const isMixed = ({ connectorName }: Identifying) =>
    connectorName !== connectorName.toLowerCase() && connectorName !== connectorName.toUpperCase();
  return { unitTicks, names: kept.some(isMixed) ? "trimmed" : "folded" };
}

/** What of these can only be told apart by their instants, whatever the form. */
export function looseKey({ machineName, connectorName }: Identifying): string {
  return `${foldMachineName(machineName.trim())}\0${foldMachineName(connectorName.trim())}`;
}

/** What a server did to make `kept` of `sent`, for people; empty: nothing. */
export function describeChanges(sent: Identifying, kept: Identifying): string[] {
  const form = formBetween(sent, kept);
  if (form === null) return [];
  const texts = units
    .filter(({ ticks, text }) => ticks === form.unitTicks && text !== "")
    .map(({ text }) => text);
  const isUtc = (text: string) => /(Z|[+-]00:00)$/i.test(text);
  if (isUtc(kept.enrollmentDateTime) && !isUtc(sent.enrollmentDateTime))
    texts.push("date-times come back in UTC");
  if (form.names === "trimmed") texts.push("names come back trimmed");
  if (form.names === "folded") texts.push("names come back in another case");
  return texts;
}

/** The least unit under which the second may be the first, cut or rounded. */
function unitBetween(sent: string, kept: string): number | null {
  const [a, b] = [readDateTimeOffset(sent), readDateTimeOffset(kept)];
  if (typeof a === "string" || typeof b === "string" || Math.abs(a.seconds - b.seconds) > 1) return null;
  const lostTicks = (a.seconds - b.seconds) * ticksPerSecond + a.fraction - b.fraction;
  const unit = units.find(({ ticks }) => {
    return b.fraction % ticks === 0 && lostTicks < ticks && lostTicks >= -ticks / 2;
  });
  return unit?.ticks ?? null;
}

function areNamesSame(a: Identifying, b: Identifying, form: NameForm): boolean {
  const of = (name: string) => (form === "exact" ? name : name.trim());
  const isMachine = foldMachineName(of(a.machineName)) === foldMachineName(of(b.machineName));
  return isMachine && isSameName({ unitTicks: 1, names: form }, a.connectorName, b.connectorName);
}
