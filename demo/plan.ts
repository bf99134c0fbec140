/** What the demo emits: distinct enrollments, duplicates of some under other event ids, and bad records of every kind. */

import { badKinds, badRecord } from "../src/cli/samples/bad-records.ts";
import { type EnrollmentEvent, enrollmentRecord } from "../src/cli/samples/enrollment-event.ts";
import { duplicateOf, sampleEnrollment } from "../src/cli/samples/enrollments.ts";
import { randomUuid, seededRandom, shuffle } from "../src/cli/samples/random.ts";
import type { NewRecord } from "../src/ports.ts";

export interface DemoPlan {
  readonly enrollments: readonly EnrollmentEvent[];
  readonly duplicates: number;
  readonly bad: number;
  /** All of it, in the order of emission; each is made when it is asked for, and the same each time. */
  readonly records: readonly PlannedRecord[];
}

export interface PlannedRecord {
  readonly isBad: boolean;
  make(): NewRecord;
}

/** Tenants of the usual size: Intune takes up to 100 connectors in each. */
const enrollmentsPerTenant = 100;
const leastTenants = 12;
const duplicateShare = 0.1;
const badShare = 0.05;

export function demoTenants(events: number, seed: number): string[] {
  const random = seededRandom(seed + 1);
  const count = Math.max(leastTenants, Math.ceil(events / enrollmentsPerTenant));
  return Array.from({ length: count }, () => randomUuid(random));
}

export function planDemo(events: number, seed: number, partitionCount: number): DemoPlan {
  const random = seededRandom(seed);
  const tenantIds = demoTenants(events, seed);
  const strangeTenant = randomUuid(random);
  const enrollments = Array.from({ length: events }, (_, index) =>
    sampleEnrollment(index, tenantIds, random),
  );
  const duplicates = Math.round(events * duplicateShare);
  const bad = Math.max(badKinds.length, Math.round(events * badShare));

  // A place in the order for each: a duplicate comes some time after its original.
  const ordered: (PlannedRecord & { place: number })[] = [];
  const add = (place: number, event: EnrollmentEvent) => {
    const mode = random() < 0.5 ? "structured" : "binary";
    ordered.push({ place, isBad: false, make: () => enrollmentRecord(event, mode, partitionCount) });
  };
  for (const [place, event] of enrollments.entries()) add(place, event);
  const originals = shuffle([...enrollments.keys()], random).slice(0, duplicates);
  for (const original of originals) {
    add(original + 0.5 + random() * (events - original), duplicateOf(enrollments[original]!, random));
  }
  for (let index = 0; index < bad; index++) {
    const event = sampleEnrollment(events + index, tenantIds, random);
    const kind = badKinds[index % badKinds.length]!;
    const make = () => badRecord(kind, event, { strangeTenant, partitionCount });
    ordered.push({ place: random() * events, isBad: true, make });
  }
  ordered.sort((a, b) => a.place - b.place);
  return { enrollments, duplicates, bad, records: ordered };
}
