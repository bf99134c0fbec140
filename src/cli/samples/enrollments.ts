/** Sample enrollments: distinct connectors of several machines, some enrolled a second time, dates in many forms. */
import type { Random } from "../../ports.ts";
import type { EnrollmentEvent } from "./enrollment-event.ts";
import { randomUuid } from "./random.ts";

const versions = ["6.2301.1.0", "6.2305.2.0", "6.2312.0.3", "6.2406.0.1001"];
const offsets = ["Z", "-08:00", "+01:00", "+05:30", "+00:00"];
const firstMs = Date.UTC(2024, 0, 8, 6);

/** Enrollment number `index`: no two of them are the same enrollment, whatever the seed. */
export function sampleEnrollment(
  index: number,
  tenantIds: readonly string[],
  random: Random,
): EnrollmentEvent {
  const tenantId = tenantIds[Math.floor(random() * tenantIds.length)]!;
  // Every eighth connector was enrolled again later: same names, another date.
  const connector = index % 8 === 7 ? index - 1 : index;
  const enrolledMs = firstMs + index * 61_000 + Math.floor(random() * 60_000);
  const data = {
    connectorName: `Certificate Connector ${pad(connector, 5)}`,
    machineName: `PKI-${pad(Math.floor(connector / 3), 4)}`,
    enrollmentDateTime: dateTime(enrolledMs, random),
    lastCheckinDateTime: dateTime(enrolledMs + 3_600_000, random),
    connectorVersion: versions[Math.floor(random() * versions.length)]!,
  };
  return {
    id: randomUuid(random),
    source: `/installers/${data.machineName}`,
    time: isoTime(enrolledMs),
    tenantId,
    data,
  };
}

/** The same enrollment, sent again: another event id, and what may differ between two reports of one enrollment. */
export function duplicateOf(event: EnrollmentEvent, random: Random): EnrollmentEvent {
  const { machineName } = event.data;
  const data = {
    ...event.data,
    machineName: random() < 0.3 ? machineName.toLowerCase() : machineName,
    lastCheckinDateTime: dateTime(Date.parse(event.time) + 86_400_000, random),
  };
  return { ...event, id: randomUuid(random), data };
}

/** A DateTimeOffset with up to seven fractional digits. */
function dateTime(ms: number, random: Random): string {
  const offset = offsets[Math.floor(random() * offsets.length)]!;
  const minutes =
    offset === "Z"
      ? 0
      : (offset[0] === "-" ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4)));
  const local = new Date(ms + minutes * 60_000).toISOString().slice(0, 19);
  const digits = String(Math.floor(random() * 10_000_000))
    .padStart(7, "0")
    .slice(0, Math.floor(random() * 8));
  return `${local}${digits === "" ? "" : `.${digits}`}${offset}`;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
