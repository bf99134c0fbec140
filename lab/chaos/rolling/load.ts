/** A steady load of valid enrollments, each once, of tenants in all partitions; and when the broker stored the outcome. */
import { type EnrollmentEvent, enrollmentRecord } from "../../../src/cli/samples/enrollment-event.ts";
import { sampleEnrollment } from "../../../src/cli/samples/enrollments.ts";
import { randomUuid, seededRandom } from "../../../src/cli/samples/random.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import type { LogRecord } from "../../../src/ports.ts";
import type { Sample } from "../emission.ts";
import { nameOf, readRegistered } from "../verify.ts";
import type { Enrolled } from "./pauses.ts";

export interface Load {
  readonly tenantIds: readonly string[];
  /** In the order of emission. */
  readonly events: readonly EnrollmentEvent[];
  next(): Sample;
}

export function createLoad(seed: number, partitionCount: number, tenantsPerPartition: number): Load {
  const random = seededRandom(seed);
  const homes = Array.from({ length: partitionCount }, () => [] as string[]);
  while (homes.some(({ length }) => length < tenantsPerPartition)) {
    const tenantId = randomUuid(random);
    const home = homes[homePartition(tenantId, partitionCount)]!;
    if (home.length < tenantsPerPartition) home.push(tenantId);
  }
  const tenantIds = homes.flat();
  const events: EnrollmentEvent[] = [];
  return {
    tenantIds,
    events,
    next() {
      const event = sampleEnrollment(events.length, tenantIds, random);
      events.push(event);
      return { record: enrollmentRecord(event, "structured", partitionCount), event, isBad: false };
    },
  };
}

/** Of what was registered. By the first record of each. */
export function enrolledOf(enrolled: readonly LogRecord[], registered: readonly LogRecord[]): Enrolled[] {
  const begun = new Map<string, { readonly tenantId: string; readonly enrolledAtMs: number }>();
  for (const { value, timestampMs: enrolledAtMs } of enrolled) {
    const { tenantid: tenantId, data } = JSON.parse(Buffer.from(value ?? []).toString());
    const name = nameOf(tenantId, data);
    if (!begun.has(name)) begun.set(name, { tenantId, enrolledAtMs });
  }
  const found: Enrolled[] = [];
  for (const record of registered) {
    const { name } = readRegistered(record);
    const one = begun.get(name);
    if (one !== undefined) found.push({ ...one, registeredAtMs: record.timestampMs });
    begun.delete(name);
  }
  return found;
}
