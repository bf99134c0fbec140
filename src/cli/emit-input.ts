/** What `emit` is given: one enrollment from flags, generated samples, or lines of JSON, as records to append. */

import { createReadStream } from "node:fs";
import { decode } from "../domain/decode.ts";
import type { EnrollmentDetails } from "../domain/enrollment.ts";
import type { NewRecord, Random } from "../ports.ts";
import { decodedText, type JsonText, linesOf, objectsOf } from "./emit-text.ts";
import {
  atHome,
  binaryBody,
  type ContentMode,
  type EnrollmentEvent,
  enrollmentRecord,
  structuredText,
  utf8,
} from "./samples/enrollment-event.ts";
import { sampleEnrollment } from "./samples/enrollments.ts";
import { randomUuid } from "./samples/random.ts";
import { say } from "./terminal.ts";

/** `id` and `tenantId` are null where a raw line doesn't tell. */
export interface Emission {
  readonly record: NewRecord;
  readonly id: string | null;
  readonly tenantId: string | null;
}

/** `where`: line of the file, or "" for flags. `rawHelps`: with --raw it would be emitted. */
export type EmitInput =
  | { readonly ok: true; readonly emission: Emission }
  | { readonly ok: false; readonly where: string; readonly message: string; readonly rawHelps: boolean };

export interface EmitContext {
  readonly tenantId: string | null;
  /** Of generated samples. */
  readonly sampleTenantIds: readonly string[];
  readonly source: string;
  readonly mode: ContentMode;
  /** Where a file lists those that are served; else it is the worker's affair. */
  readonly isTenantAllowed: (tenantId: string) => boolean;
  /** Emit lines as they are, unchecked. */
  readonly raw: boolean;
  readonly partitionCount: number;
  readonly nowIso: () => string;
  readonly random: Random;
}

export function* generated(count: number, context: EmitContext): Generator<EmitInput> {
  for (let index = 0; index < count; index++) {
    const event = {
      ...sampleEnrollment(index, context.sampleTenantIds, context.random),
      source: context.source,
    };
    yield checked(event, context, `sample ${index + 1}`);
  }
}

export function fromFlags(data: EnrollmentDetails, id: string | null, context: EmitContext): EmitInput {
  return checked(eventOf(data, { id, tenantId: context.tenantId ?? "" }, context), context, "");
}

/**
 * `path`: "-" is standard input. Blank lines are skipped. A stream's failure ends as a thrown error; an interrupt ends the
 * reading, also where the next line would never come.
 */
export async function* fromFile(
  path: string,
  context: EmitContext,
  interrupted: AbortSignal,
): AsyncGenerator<EmitInput> {
  const input = path === "-" ? process.stdin : createReadStream(path);
  if (path === "-" && process.stdin.isTTY)
    say("One enrollment each, as a JSON object. Ctrl-D ends the input, Ctrl-C the command.\n");
  const stop = () => input.destroy();
  interrupted.addEventListener("abort", stop);
  try {
    if (interrupted.aborted) return;
    const text = decodedText(input);
    for await (const found of context.raw ? linesOf(text) : objectsOf(text)) {
      if (!found.ok || found.text.trim() !== "") yield fromText(found, context);
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  } finally {
    interrupted.removeEventListener("abort", stop);
    input.destroy();
  }
}

function fromText(found: JsonText, context: EmitContext): EmitInput {
  const where = `line ${found.line}`;
  if (!found.ok) return { ok: false, where, message: found.problem, rawHelps: found.rawHelps };
  if (context.raw) return { ok: true, emission: rawEmission(found.text, context) };
  return fromObject(found.text, where, context);
}

function fromObject(line: string, where: string, context: EmitContext): EmitInput {
  const parsed = object(line);
  if (parsed === null) return { ok: false, where, message: "not a JSON object", rawHelps: true };
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
      context,
    );
  }
  const { data, data_base64: data64, ...attributes } = parsed;
  const texts = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
  const bytes = data === undefined && typeof data64 === "string" ? Buffer.from(data64, "base64") : null;
  const body = binaryBody(texts, bytes ?? utf8(JSON.stringify(data ?? null)));
  return judged(
    { record: atHome(tenantId, body, context.partitionCount), id: text(parsed.id), tenantId },
    where,
    context,
  );
}

/** A line with the five properties, and perhaps `tenantId`. */
function fromData(parsed: Record<string, unknown>, where: string, context: EmitContext): EmitInput {
  const { tenantId, ...data } = parsed;
  const tenant = text(tenantId) ?? context.tenantId ?? "";
  return checked(
    eventOf(data as unknown as EnrollmentDetails, { id: null, tenantId: tenant }, context),
    context,
    where,
  );
}

function eventOf(
  data: EnrollmentDetails,
  { id, tenantId }: { readonly id: string | null; readonly tenantId: string },
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
  return context.raw ? { ok: true, emission } : judged(emission, where, context);
}

/** Whether the worker would take it. */
function judged(emission: Emission, where: string, { isTenantAllowed }: EmitContext): EmitInput {
  const decoded = decode(emission.record, isTenantAllowed);
  if (decoded.ok) return { ok: true, emission };
  const { code, message, pointers } = decoded.refusal;
  const places = pointers.length === 0 ? "" : ` at ${pointers.join(", ")}`;
  return { ok: false, where, message: `${message} (${code}${places})`, rawHelps: true };
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
