/** Events to start from in this directory's tests. The properties are those of Graph's documented example. */
import type { Header, LogRecord } from "../../src/ports.ts";

export const documentedDetails = {
  connectorName: "Connector Name value",
  machineName: "Machine Name value",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
  lastCheckinDateTime: "2017-01-01T00:02:46.0431416-08:00",
  connectorVersion: "Connector Version value",
};
export const tenantId = "5b0a9a3c-7f0e-4d7c-9a55-0c2d4c3f7e11";
export const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

export const sampleEvent = {
  specversion: "1.0",
  id: "event-1",
  source: "/installers/17",
  type: "connector.enrolled",
  tenantid: tenantId,
  datacontenttype: "application/json",
  data: documentedDetails,
};

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function json(value: unknown): Uint8Array {
  return bytes(JSON.stringify(value));
}

/** The sample event with these attributes changed. */
export function eventWith(changes: object): Uint8Array {
  return json({ ...sampleEvent, ...changes });
}

/** The sample event with these properties of its data changed. */
export function eventWithData(changes: object): Uint8Array {
  return eventWith({ data: { ...documentedDetails, ...changes } });
}

export function text(value: Uint8Array | null | undefined): string {
  return new TextDecoder().decode(value ?? undefined);
}

export const structuredHeaders: readonly Header[] = [["content-type", bytes("application/cloudevents+json")]];

export function binaryHeaders(attributes: Readonly<Record<string, string>>): Header[] {
  return Object.entries(attributes).map(([name, value]) => [`ce_${name}`, bytes(value)]);
}

export const sampleAttributes = {
  specversion: "1.0",
  id: "event-1",
  source: "/installers/17",
  type: "connector.enrolled",
  tenantid: tenantId,
};

export function logRecord(fields: Partial<LogRecord> = {}): LogRecord {
  return {
    topic: "enrolled",
    partition: 3,
    offset: 1042,
    key: bytes(tenantId),
    value: json(sampleEvent),
    headers: structuredHeaders,
    timestampMs: 1_483_257_600_000,
    leaderEpoch: -1,
    ...fields,
  };
}
