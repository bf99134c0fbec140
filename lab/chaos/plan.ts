/** What one seed decides: the enrollments with duplicates and bad records among them, and which fault strikes when. */

import { badKinds, badRecord } from "../../src/cli/samples/bad-records.ts";
import { type EnrollmentEvent, enrollmentRecord } from "../../src/cli/samples/enrollment-event.ts";
import { duplicateOf, sampleEnrollment } from "../../src/cli/samples/enrollments.ts";
import { randomUuid, seededRandom, shuffle } from "../../src/cli/samples/random.ts";
import type { NewRecord, Random } from "../../src/ports.ts";
import type { ChaosOptions } from "./options.ts";
import { type Deployment, type PlannedFault, planFaults } from "./plan-faults.ts";

export interface ChaosPlan {
  readonly tenantIds: readonly string[];
  readonly enrollments: readonly EnrollmentEvent[];
  readonly bad: readonly NewRecord[];
  /** In the order of emission. */
  readonly records: readonly NewRecord[];
  /** Of records that their producer put elsewhere: the partition that they are moved to. */
  readonly homes: ReadonlyMap<NewRecord, number>;
  /** By rising `at`: each strikes once that many enrollments are settled. */
  readonly faults: readonly PlannedFault[];
}

const enrollmentsPerTenant = 50;
const leastTenants = 12;
const duplicateShare = 0.1;
const badShare = 0.02;
/** Records that their producer put into a partition that isn't their tenant's. */
const strayShare = 0.1;

export function planChaos(options: ChaosOptions, deployment: Deployment): ChaosPlan {
  const { partitionCount } = deployment;
  const random = seededRandom(options.seed);
  const tenantCount = Math.max(leastTenants, Math.ceil(options.events / enrollmentsPerTenant));
  const tenantIds = Array.from({ length: tenantCount }, () => randomUuid(random));
  const enrollments = Array.from({ length: options.events }, (_, index) =>
    sampleEnrollment(index, tenantIds, random),
  );
  const bad = planBad(options.events, { tenantIds, partitionCount }, random);
  const { records, homes } = planRecords({ enrollments, bad }, partitionCount, random);
  return {
    tenantIds,
    enrollments,
    bad,
    records,
    homes,
    faults: planFaults(options, deployment, random),
  };
}

/** Each value only once, so that a dead letter can be identified by its value; those without a value are left out. */
function planBad(
  events: number,
  { tenantIds, partitionCount }: { readonly tenantIds: readonly string[]; readonly partitionCount: number },
  random: Random,
): NewRecord[] {
  const stranger = randomUuid(random);
  const kinds = badKinds.filter(({ name }) => !["empty value", "no value"].includes(name));
  return Array.from({ length: Math.ceil(events * badShare) }, (_, index) => {
    const event = sampleEnrollment(events + index, tenantIds, random);
    return badRecord(kinds[index % kinds.length]!, event, { strangeTenant: stranger, partitionCount });
  });
}

function planRecords(
  { enrollments, bad }: Pick<ChaosPlan, "enrollments" | "bad">,
  partitionCount: number,
  random: Random,
): { readonly records: readonly NewRecord[]; readonly homes: ReadonlyMap<NewRecord, number> } {
  const homes = new Map<NewRecord, number>();
  const ordered: { readonly place: number; readonly record: NewRecord }[] = [];
  const add = (place: number, event: EnrollmentEvent) => {
    const mode = random() < 0.5 ? "structured" : "binary";
    const record = enrollmentRecord(event, mode, partitionCount);
    const stray = { ...record, key: null, partition: (record.partition + 1) % partitionCount };
    const isStray = random() < strayShare;
    if (isStray) homes.set(stray, record.partition);
    ordered.push({ place, record: isStray ? stray : record });
  };
  for (const [place, event] of enrollments.entries()) add(place, event);
  const originals = shuffle([...enrollments.keys()], random);
  for (const original of originals.slice(0, Math.round(enrollments.length * duplicateShare))) {
    const place = original + 0.5 + random() * (enrollments.length - original);
    add(place, duplicateOf(enrollments[original]!, random));
  }
  for (const record of bad) ordered.push({ place: random() * enrollments.length, record });
  return { records: ordered.sort((a, b) => a.place - b.place).map(({ record }) => record), homes };
}
