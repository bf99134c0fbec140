/** One line for people about a record of any topic: all of it where there is room, else what tells one from another. */
import { decode } from "../domain/decode.ts";
import { recordTimeMs } from "../domain/record-time.ts";
import type { LogRecord } from "../ports.ts";
import { recordJson } from "./record-json.ts";
import { plain } from "./terminal.ts";

/** What a line says after time and place. `short` is cut at its end to fit. */
interface About {
  readonly full: string;
  readonly short: string;
}

/** @param columns of the terminal; a line is no longer than that. */
export function recordLine(record: LogRecord, columns: number): string {
  const place = `${record.topic}/${record.partition}@${record.offset}`;
  const { full, short } = about(record);
  const time = timeOf(record);
  const line = plain(`${time}  ${place}  ${full}`);
  if (line.length <= columns) return line;
  return cut(
    plain(`${time.slice(5, 19).replace("T", " ")}  ${record.partition}@${record.offset}  ${short}`),
    columns,
  );
}

/** As long as `2026-11-26T20:04:21.847Z`. */
function timeOf({ timestampMs }: LogRecord): string {
  const ms = recordTimeMs(timestampMs);
  return ms === null ? "time unknown            " : new Date(ms).toISOString();
}

function about(record: LogRecord): About {
  if (record.topic === "registered") return registered(record);
  if (record.topic === "dlq") return deadLetter(record);
  const decoded = decode(record, () => true);
  if (!decoded.ok) return same(`not an enrollment: ${decoded.refusal.code}`);
  const { tenantId, details } = decoded.enrollment;
  const names = `${details.machineName} / ${details.connectorName}`;
  return {
    full: `${tenantId}  ${names}, enrolled ${details.enrollmentDateTime}`,
    short: `${start(tenantId)}  ${names}`,
  };
}

function registered(record: LogRecord): About {
  const data = member(json(recordJson(record).value), "data");
  if (data === null) return same("not a registered event");
  const names = `${data.machineName} / ${data.connectorName}`;
  return {
    full: `${data.tenantId}  ${names} -> ${data.id} (${data.outcome})`,
    short: `${start(data.tenantId)} -> ${start(data.id)}  ${data.outcome}  ${names}`,
  };
}

function deadLetter(record: LogRecord): About {
  const header = recordJson(record).headers["dead-letter"];
  const reason = json(typeof header === "string" ? header : null);
  if (reason === null) return same("not a dead letter");
  const pointers =
    Array.isArray(reason.pointers) && reason.pointers.length > 0 ? ` at ${reason.pointers.join(", ")}` : "";
  return same(`${reason.id}  ${reason.code}${pointers}: ${reason.message}`);
}

function same(text: string): About {
  return { full: text, short: text };
}

/** The first digits of an id are enough to find it again with `--json`. */
function start(id: unknown): string {
  return String(id).slice(0, 8);
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
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
