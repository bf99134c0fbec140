/** Endless sample enrollments at a steady rate, with duplicates, bad records and records in the wrong partition among them. */

import { badKinds, badRecord } from "../../src/cli/samples/bad-records.ts";
import { type EnrollmentEvent, enrollmentRecord } from "../../src/cli/samples/enrollment-event.ts";
import { duplicateOf, sampleEnrollment } from "../../src/cli/samples/enrollments.ts";
import { randomUuid, seededRandom } from "../../src/cli/samples/random.ts";
import type { EventLog, NewRecord } from "../../src/ports.ts";

export interface Sample {
  readonly record: NewRecord;
  /** Null: a duplicate, or a bad record. */
  readonly event: EnrollmentEvent | null;
  readonly isBad: boolean;
}

const tenantCount = 12;
const duplicateShare = 0.1;
const badShare = 0.02;
const strayShare = 0.1;
/** Duplicates are of one of this many latest events. */
const recentMax = 400;

export function createSamples(seed: number, partitionCount: number) {
  const random = seededRandom(seed);
  const tenantIds = Array.from({ length: tenantCount }, () => randomUuid(random));
  const stranger = randomUuid(random);
  const kinds = badKinds.filter(({ name }) => !["empty value", "no value"].includes(name));
  const recent: EnrollmentEvent[] = [];
  let index = 0;
  let badIndex = 0;

  function next(): Sample {
    const drawn = random();
    if (drawn < badShare) {
      const kind = kinds[badIndex++ % kinds.length]!;
      const event = sampleEnrollment(index++, tenantIds, random);
      return {
        record: badRecord(kind, event, { strangeTenant: stranger, partitionCount }),
        event: null,
        isBad: true,
      };
    }
    const isDuplicate = drawn < badShare + duplicateShare && recent.length > 0;
    const original = recent[Math.floor(random() * recent.length)];
    const event = isDuplicate ? duplicateOf(original!, random) : sampleEnrollment(index++, tenantIds, random);
    if (!isDuplicate) {
      recent.push(event);
      if (recent.length > recentMax) recent.shift();
    }
    const mode = random() < 0.5 ? "structured" : "binary";
    const home = enrollmentRecord(event, mode, partitionCount);
    const stray = { ...home, key: null, partition: (home.partition + 1) % partitionCount };
    return {
      record: random() < strayShare ? stray : home,
      event: isDuplicate ? null : event,
      isBad: false,
    };
  }
  return { tenantIds, next };
}

/** So many in one append at the most, after the log was away. */
const batchMax = 200;

export interface Pace {
  readonly ratePerS: number;
  /** Since the first of them was due. */
  elapsedMs(): number;
  /** How many the log has by now. */
  emitted(): number;
}

/** Appends what is due by now, until the log has it. How many; 0: nothing is due. */
export async function emitDue(
  samples: { next(): Sample },
  log: Pick<EventLog, "append">,
  { ratePerS, elapsedMs, emitted }: Pace,
): Promise<{ readonly count: number; readonly failed: string | null }> {
  const due = Math.min(batchMax, Math.floor((elapsedMs() * ratePerS) / 1000) - emitted());
  if (due <= 0) return { count: 0, failed: null };
  const some = Array.from({ length: due }, () => samples.next());
  for (let failed: string | null = null; ; ) {
    const result = await log.append(some.map(({ record }) => record));
    if (result.ok) return { count: due, failed };
    failed = result.reason;
  }
}
