/**
 * The record of an event with the trace context that it came with: of this service's own span where it is traced, else that of the
 * request, unless the event has one. It is a header of the record: the event's own bytes stay as they were sent.
 */
import { isTraceparent, traceparentHeader } from "../../domain/traceparent.ts";
import type { NewRecord } from "../../ports.ts";
import type { AcceptedEvent } from "./judge.ts";

/** `own`: of this service's span; null: it is not traced. `headers`: of the request. */
export function tracedRecord(
  { record, traceparent }: Pick<AcceptedEvent, "record" | "traceparent">,
  own: string | null,
  headers: Readonly<Record<string, unknown>>,
): NewRecord {
  const ofRequest = traceparent === null ? headers[traceparentHeader] : null;
  const context = own ?? (isTraceparent(ofRequest) ? ofRequest : null);
  if (context === null) return record;
  return { ...record, headers: [...record.headers, [traceparentHeader, Buffer.from(context)]] };
}
