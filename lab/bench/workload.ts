/** Tenants and enrollment events: every event has a connector name of its own, by which its outcome is found again. */
import { createHash, randomUUID } from "node:crypto";
import { homePartition } from "../../src/domain/murmur2.ts";

export const partitionCount = 8;

/** Tenant ids, evenly over the partitions: the first in partition 0, the next in 1, and so on. */
export function tenantIds(count: number, salt = "tenant"): string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) {
    const hex = createHash("sha1").update(`${salt}-${i}`).digest("hex");
    const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    if (homePartition(id, partitionCount) === found.length % partitionCount) found.push(id);
  }
  return found;
}

export interface Event {
  readonly connectorName: string;
  readonly tenantId: string;
  readonly partition: number;
  readonly value: string;
}

/** Event `index` of a tenant: a structured CloudEvent of usual length. */
export function enrollment(tenantId: string, index: number, name = "C"): Event {
  const connectorName = `${name}-${tenantId.slice(0, 8)}-${index}`;
  const enrolledAt = new Date(Date.UTC(2025, 0, 6) + index * 1000).toISOString().slice(0, 19);
  const value = JSON.stringify({
    specversion: "1.0",
    id: randomUUID(),
    source: `/installers/PKI-${index}`,
    type: "connector.enrolled",
    time: `${enrolledAt}Z`,
    tenantid: tenantId,
    datacontenttype: "application/json",
    data: {
      connectorName,
      machineName: `PKI-${tenantId.slice(0, 4)}-${index}`,
      enrollmentDateTime: `${enrolledAt}.3726057-08:00`,
      lastCheckinDateTime: `${enrolledAt}.3726057-08:00`,
      connectorVersion: "6.2406.0.1001",
    },
  });
  return { connectorName, tenantId, partition: homePartition(tenantId, partitionCount), value };
}

/** `count` events, the tenants taking turns. */
export function* backlogOf(tenants: readonly string[], count: number, name = "C"): Generator<Event> {
  for (let i = 0; i < count; i++) yield enrollment(tenants[i % tenants.length]!, i, name);
}

/** The connector name in a record of any of the topics, from any writer. */
export function connectorNameIn(value: Buffer): string {
  return /"connectorName":"([^"]+)"/.exec(value.toString("utf8"))?.[1] ?? "";
}
