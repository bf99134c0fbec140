/** One line for people about a record of any topic. */
import { decode } from "../domain/decode.ts";
import type { LogRecord } from "../ports.ts";
import { recordJson } from "./record-json.ts";
import { plain } from "./terminal.ts";

export function recordLine(record: LogRecord): string {
  const place = `${record.topic}/${record.partition}@${record.offset}`;
  return plain(`${new Date(record.timestampMs).toISOString()}  ${place}  ${about(record)}`);
}

function about(record: LogRecord): string {
  if (record.topic === "registered") return registered(record);
  if (record.topic === "dlq") return deadLetter(record);
  const decoded = decode(record, () => true);
  if (!decoded.ok) return `not an enrollment: ${decoded.refusal.code}`;
  const { tenantId, details } = decoded.enrollment;
  return `${tenantId}  ${details.machineName} / ${details.connectorName}, enrolled ${details.enrollmentDateTime}`;
}

function registered(record: LogRecord): string {
  const data = member(json(recordJson(record).value), "data");
  if (data === null) return "not a registered event";
  return `${data.tenantId}  ${data.machineName} / ${data.connectorName} -> ${data.id} (${data.outcome})`;
}

function deadLetter(record: LogRecord): string {
  const header = recordJson(record).headers["dead-letter"];
  const reason = json(typeof header === "string" ? header : null);
  if (reason === null) return "not a dead letter";
  const pointers =
    Array.isArray(reason.pointers) && reason.pointers.length > 0 ? ` at ${reason.pointers.join(", ")}` : "";
  return `${reason.id}  ${reason.code}${pointers}: ${reason.message}`;
}

function json(text: string | null | undefined): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text ?? "null");
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function member(object: Record<string, unknown> | null, name: string): Record<string, unknown> | null {
  const value = object?.[name];
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}
