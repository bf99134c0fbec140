/** What `emit` is given: one enrollment from flags, generated samples, or lines of JSON, as records to append. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { decode } from "../domain/decode.ts";
import type { NewRecord, Random } from "../ports.ts";
import {
  atHome,
  binaryBody,
  type ContentMode,
  type EnrollmentData,
  type EnrollmentEvent,
  enrollmentRecord,
  structuredText,
  utf8,
} from "./samples/enrollment-event.ts";
import { sampleEnrollment } from "./samples/enrollments.ts";
import { randomUuid } from "./samples/random.ts";

/** `id` and `tenantId` are null where a raw line doesn't tell. */
export interface Emission {
  readonly record: NewRecord;
  readonly id: string | null;
  readonly tenantId: string | null;
}

/** `where`: line of the file, or "" for flags. */
export type EmitInput =
  | { readonly ok: true; readonly emission: Emission }
  | { readonly ok: false; readonly where: string; readonly message: string };

export interface EmitContext {
  readonly tenantId: string | null;
  readonly source: string;
  readonly mode: ContentMode;
  /** Emit lines as they are, unchecked. */
  readonly raw: boolean;
  readonly partitionCount: number;
  readonly nowIso: () => string;
  readonly random: Random;
}

const maxLineCharacters = 1_000_000;

export function* generated(count: number, context: EmitContext): Generator<EmitInput> {
  const tenants = [context.tenantId ?? ""];
  for (let index = 0; index < count; index++) {
    const event = { ...sampleEnrollment(index, tenants, context.random), source: context.source };
    yield checked(event, context, `sample ${index + 1}`);
  }
}

export function fromFlags(data: EnrollmentData, id: string | null, context: EmitContext): EmitInput {
  return checked(eventOf(data, id, context.tenantId ?? "", context), context, "");
}

/** `path`: "-" is standard input. Blank lines are skipped. A stream's failure ends as a thrown error. */
export async function* fromLines(path: string, context: EmitContext): AsyncGenerator<EmitInput> {
  const input = path === "-" ? process.stdin : createReadStream(path);
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() !== "") yield fromLine(line, `line ${number}`, context);
  }
}

function fromLine(line: string, where: string, context: EmitContext): EmitInput {
  if (line.length > maxLineCharacters)
    return { ok: false, where, message: `longer than ${maxLineCharacters} characters` };
  if (context.raw) return { ok: true, emission: rawEmission(line, context) };
  const parsed = object(line);
  if (parsed === null) return { ok: false, where, message: "not a JSON object" };
  if (!("specversion" in parsed)) return fromData(parsed, where, context);
  const tenantId = text(parsed.tenantid) ?? "";
  if (context.mode === "structured") {
    return judged(
      {
        record: atHome(tenantId, structuredText(line), context.partitionCount),
        id: text(parsed.id),
        tenantId,
      },
      where,
    );
  }
  const { data, ...attributes } = parsed;
  const texts = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
  const body = binaryBody(texts, utf8(JSON.stringify(data ?? null)));
  return judged(
    { record: atHome(tenantId, body, context.partitionCount), id: text(parsed.id), tenantId },
    where,
  );
}

/** A line with the five properties, and perhaps `tenantId`. */
function fromData(parsed: Record<string, unknown>, where: string, context: EmitContext): EmitInput {
  const { tenantId, ...data } = parsed;
  const tenant = text(tenantId) ?? context.tenantId ?? "";
  return checked(eventOf(data as unknown as EnrollmentData, null, tenant, context), context, where);
}

function eventOf(
  data: EnrollmentData,
  id: string | null,
  tenantId: string,
  context: EmitContext,
): EnrollmentEvent {
  return {
    id: id ?? randomUuid(context.random),
    source: context.source,
    time: context.nowIso(),
    tenantId,
    data,
  };
}

function checked(event: EnrollmentEvent, context: EmitContext, where: string): EmitInput {
  const record = enrollmentRecord(event, context.mode, context.partitionCount);
  const emission = { record, id: event.id, tenantId: event.tenantId };
  return context.raw ? { ok: true, emission } : judged(emission, where);
}

/** Whether the worker would take it; which tenants it allows is the worker's affair. */
function judged(emission: Emission, where: string): EmitInput {
  const decoded = decode(emission.record, () => true);
  if (decoded.ok) return { ok: true, emission };
  const { code, message, pointers } = decoded.refusal;
  const places = pointers.length === 0 ? "" : ` at ${pointers.join(", ")}`;
  return { ok: false, where, message: `${message} (${code}${places})` };
}

function rawEmission(line: string, context: EmitContext): Emission {
  const parsed = object(line);
  const tenantId = text(parsed?.tenantid) ?? context.tenantId;
  return {
    record: atHome(tenantId ?? "", structuredText(line), context.partitionCount),
    id: text(parsed?.id),
    tenantId,
  };
}

function object(line: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
  } catch {
    return null;
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
