/**
 * One tenant's registrations against Graph's list of it. Pure.
 *
 * 1. An object is superfluous only if the ledger proves it: another object of the same enrollment is the registered
 *    one and is in the list, and no record names this object's id.
 * 2. Every object is named by a record, or the superfluous copy of a registered one, or reported as orphaned.
 * 3. What was registered after the list was asked for is compared if the list shows it; otherwise it is beyond the
 *    comparison, and only counted.
 * 4. Where Graph has shown that it changes what it keeps, two enrollments may look alike: then nothing is proven
 *    superfluous, and a change that Graph itself makes is not a difference.
 */
import { identify } from "../domain/identity.ts";
import { coarsestOf, type Form, isSameInstant, isSameName, isSameUnder } from "../domain/same-enrollment.ts";
import type { GraphObject } from "../graph-port.ts";
import { joined, type Registration } from "./registrations.ts";

export const comparedProperties = [
  "connectorName",
  "machineName",
  "enrollmentDateTime",
  "lastCheckinDateTime",
  "connectorVersion",
] as const;
export type ComparedProperty = (typeof comparedProperties)[number];

export interface Difference {
  readonly property: ComparedProperty;
  readonly registered: string;
  readonly inGraph: string;
}

export interface Duplicated {
  readonly idempotencyKey: string;
  /** All objects of the enrollment, the registered one first. */
  readonly objects: readonly GraphObject[];
  /** Null: none of them is the registered one. */
  readonly registeredId: string | null;
  readonly superfluousIds: readonly string[];
}

export interface Orphan {
  readonly object: GraphObject;
  /** Null where the object has no enrollment instant. */
  readonly idempotencyKey: string | null;
}

export interface Findings {
  /** The registrations that the list was compared with. */
  readonly registered: number;
  readonly inGraph: number;
  /** Registered since the list was asked for, and not in it: not compared. */
  readonly registeredSince: number;
  /** Registered, and no object has the registered id. */
  readonly missing: readonly Registration[];
  /** In Graph, and nothing registered explains it. */
  readonly orphaned: readonly Orphan[];
  /** Two or more objects of one enrollment. */
  readonly duplicated: readonly Duplicated[];
  /** The object with the registered id has other properties than were registered. */
  readonly differing: readonly {
    readonly registration: Registration;
    readonly differences: readonly Difference[];
  }[];
  /** One key, two or more Graph ids in the topic. */
  readonly conflicting: readonly Registration[];
}

type Registrations = ReadonlyMap<string, Registration>;

/** What is known of one tenant. */
export interface Compared {
  readonly tenantId: string;
  /** Read before the list was asked for. */
  readonly before: Registrations;
  /** More records of the same topic, after the list came: what was registered in between is neither missing nor orphaned. */
  readonly later: Registrations;
  readonly objects: readonly GraphObject[];
  readonly ignored: ReadonlySet<ComparedProperty>;
}

export function compare({ tenantId, before, later, objects, ignored }: Compared): Findings {
  const byId = new Map(objects.map((object) => [object.id, object]));
  const named = new Set<string>();
  for (const registrations of [before, later]) {
    for (const { object, otherIds } of registrations.values()) {
      for (const id of [object.id, ...otherIds]) named.add(id);
    }
  }
  const all = [...union(before, later)];
  const compared = all
    .filter(([key, { object }]) => before.has(key) || byId.has(object.id))
    .map(([, each]) => each); // 3
  // What others made may have come another way: its form says nothing of what Graph does to ours.
  const form = coarsestOf(objects.filter(({ id }) => named.has(id)));
  const duplicated = findDuplicates({ tenantId, before, later, objects }, named, form);
  const superfluous = new Set(duplicated.flatMap(({ superfluousIds }) => superfluousIds));
  return {
    registered: compared.length,
    inGraph: objects.length,
    registeredSince: all.length - compared.length,
    missing: compared.filter(({ object }) => !byId.has(object.id)),
    orphaned: objects
      .filter(({ id }) => !named.has(id) && !superfluous.has(id)) // 2
      .map((object) => ({ object, idempotencyKey: keyOf(tenantId, object) })),
    duplicated,
    differing: compared.flatMap((registration) => {
      const object = byId.get(registration.object.id);
      const differences =
        object === undefined ? [] : differencesOf(registration.object, object, { form, ignored });
      return differences.length === 0 ? [] : [{ registration, differences }];
    }),
    conflicting: compared.filter(({ otherIds }) => otherIds.length > 0),
  };
}

function union(before: Registrations, later: Registrations): Map<string, Registration> {
  const all = new Map(before);
  for (const [key, registration] of later) {
    const known = all.get(key);
    all.set(key, known === undefined ? registration : joined(known, registration));
  }
  return all;
}

export function isEqual(findings: Findings): boolean {
  const { missing, orphaned, duplicated, differing, conflicting } = findings;
  return [missing, orphaned, duplicated, differing, conflicting].every(({ length }) => length === 0);
}

function findDuplicates(
  { tenantId, before, later, objects }: Omit<Compared, "ignored">,
  named: ReadonlySet<string>,
  form: Form,
): Duplicated[] {
  const registrations = [...later.values(), ...before.values()];
  const byId = new Map(registrations.map((registration) => [registration.object.id, registration]));
  const isChanged = registrations.some(
    ({ object, idempotencyKey }) => keyOf(tenantId, object) !== idempotencyKey,
  );
  const isKept = ({ id }: GraphObject, key: string) => (byId.get(id)?.idempotencyKey ?? key) === key;
  const isExplained = (object: GraphObject) => {
    const registration = byId.get(object.id);
    return registration !== undefined && isSameUnder(form, registration.object, object);
  };
  const groups = Map.groupBy(objects, (object) => keyOf(tenantId, object));
  const duplicated: Duplicated[] = [];
  for (const [idempotencyKey, same] of groups) {
    if (idempotencyKey === null || same.length < 2) continue;
    // Registered for different enrollments, which look alike in Graph's form.
    if (same.every((object) => isExplained(object))) continue;
    const registration =
      before.get(idempotencyKey) ??
      later.get(idempotencyKey) ??
      same.map(({ id }) => byId.get(id)).find((found) => found !== undefined);
    const isProven = !isChanged && same.every((object) => isKept(object, idempotencyKey)); // 4
    const isRegistered = ({ id }: GraphObject) => id === registration?.object.id;
    const kept = same.filter(isRegistered);
    const others = same.filter((object) => !isRegistered(object));
    duplicated.push({
      idempotencyKey: registration?.idempotencyKey ?? idempotencyKey,
      objects: [...kept, ...others],
      registeredId: kept[0]?.id ?? null,
      superfluousIds:
        kept.length === 0 || !isProven ? [] : others.map(({ id }) => id).filter((id) => !named.has(id)), // 1
    });
  }
  return duplicated;
}

function keyOf(tenantId: string, object: GraphObject): string | null {
  return identify(tenantId, object)?.idempotencyKey ?? null;
}

function differencesOf(
  registered: GraphObject,
  inGraph: GraphObject,
  { form, ignored }: { readonly form: Form; readonly ignored: ReadonlySet<ComparedProperty> },
): Difference[] {
  return comparedProperties
    .filter(
      (property) =>
        !ignored.has(property) && !isSame(property, form, [registered[property], inGraph[property]]),
    )
    .map((property) => ({ property, registered: registered[property], inGraph: inGraph[property] }));
}

/** As far as Graph's form can tell: date-times that name the same instant, however they are written. */
function isSame(property: ComparedProperty, form: Form, [a, b]: readonly [string, string]): boolean {
  if (a === b) return true;
  if (property === "connectorVersion") return false;
  return property.endsWith("DateTime") ? isSameInstant(form, a, b) : isSameName(form, a, b);
}
