/** What the demo emits: distinct enrollments, duplicates of some under other event ids, and bad records of every kind. */
import type { NewRecord } from "../../ports.ts";
import { badKinds, badRecord } from "../samples/bad-records.ts";
import { type EnrollmentEvent, enrollmentRecord } from "../samples/enrollment-event.ts";
import { duplicateOf, sampleEnrollment } from "../samples/enrollments.ts";
import { randomUuid, seededRandom, shuffle } from "../samples/random.ts";

export interface DemoPlan {
  /** Tenants that the worker allows. */
  readonly tenantIds: readonly string[];
  readonly enrollments: readonly EnrollmentEvent[];
  readonly duplicates: number;
  readonly bad: readonly NewRecord[];
  /** All of it, in the order of emission. */
  readonly records: readonly NewRecord[];
}

const tenantCount = 12;
const duplicateShare = 0.1;
const badShare = 0.05;

export function planDemo(events: number, seed: number, partitionCount: number): DemoPlan {
  const random = seededRandom(seed);
  const tenantIds = Array.from({ length: tenantCount }, () => randomUuid(random));
  const strangeTenant = randomUuid(random);
  const enrollments = Array.from({ length: events }, (_, index) =>
    sampleEnrollment(index, tenantIds, random),
  );
  const duplicates = Math.round(events * duplicateShare);
  const badCount = Math.max(badKinds.length, Math.round(events * badShare));
  const bad = Array.from({ length: badCount }, (_, index) => {
    const event = sampleEnrollment(events + index, tenantIds, random);
    return badRecord(badKinds[index % badKinds.length]!, event, strangeTenant, partitionCount);
  });

  // A place in the order for each: a duplicate comes some time after its original.
  const ordered: { place: number; record: NewRecord }[] = [];
  const add = (place: number, event: EnrollmentEvent) => {
    const mode = random() < 0.5 ? "structured" : "binary";
    ordered.push({ place, record: enrollmentRecord(event, mode, partitionCount) });
  };
  for (const [place, event] of enrollments.entries()) add(place, event);
  const originals = shuffle([...enrollments.keys()], random).slice(0, duplicates);
  for (const original of originals) {
    add(original + 0.5 + random() * (events - original), duplicateOf(enrollments[original]!, random));
  }
  for (const record of bad) ordered.push({ place: random() * events, record });
  ordered.sort((a, b) => a.place - b.place);
  return { tenantIds, enrollments, duplicates, bad, records: ordered.map(({ record }) => record) };
}
