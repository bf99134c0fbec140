/** The bodies of creation requests, alone and in a `$batch`, and the taking apart of a batch's answer. Pure. */
import type { CreateRequest, GraphReply } from "../graph-port.ts";
import {
  headerOf,
  isObject,
  type JsonObject,
  parseJson,
  readAnswer,
  readRawAnswer,
  requireObject,
} from "./answer.ts";
import { type RawAnswer, silence } from "./exchange.ts";

export const collectionPath = "/deviceManagement/certificateConnectorDetails";
export const maxBatchItems = 20;

/** The object to create; members in the order of the documented example. */
export function objectToCreate(item: CreateRequest): Record<string, string | undefined> {
  const { connectorName, machineName, enrollmentDateTime, lastCheckinDateTime, connectorVersion } =
    item.details;
  return {
    "@odata.type": "#microsoft.graph.certificateConnectorDetails",
    id: item.id ?? undefined, // Left out of the JSON.
    connectorName,
    machineName,
    enrollmentDateTime,
    lastCheckinDateTime,
    connectorVersion,
  };
}

/** Items are numbered from 1, as in Graph's examples. */
export function batchToCreate(items: readonly CreateRequest[]): string {
  const requests = items.map((item, index) => ({
    id: String(index + 1),
    method: "POST",
    url: collectionPath,
    headers: {
      "Content-Type": "application/json",
      "Idempotency-Key": item.idempotencyKey,
      "client-request-id": item.clientRequestId,
    },
    body: objectToCreate(item),
  }));
  return JSON.stringify({ requests });
}

/**
 * One reply an item, in the items' order. An item without a readable answer of its own may have been carried out.
 * A batch that failed as a whole gives each item that answer, marked as the batch's.
 */
export function readBatch(raw: RawAnswer, itemCount: number): GraphReply[] {
  const isProcessed = (raw.status >= 200 && raw.status < 300) || raw.status === 424;
  if (!isProcessed) {
    const whole = readRawAnswer(raw);
    return new Array(itemCount).fill(whole.kind === "answer" ? { ...whole, ofBatch: true } : whole);
  }
  const body = parseJson(raw.body);
  if (!isObject(body) || !Array.isArray(body.responses)) {
    return new Array(itemCount).fill(malformed(`the batch's answer (${raw.status}) holds no responses`));
  }
  const ofBatch = { requestId: headerOf(raw.headers, "request-id"), date: headerOf(raw.headers, "date") };
  const answers = byId(body.responses);
  return Array.from({ length: itemCount }, (_, index) => {
    const found = answers.get(String(index + 1));
    if (found === undefined) return malformed(`the batch's answer lacks item ${index + 1}`);
    return found === severalAnswers
      ? malformed(`the batch answers item ${index + 1} more than once`)
      : readItem(found, ofBatch);
  });
}

const severalAnswers: JsonObject = {};

function byId(responses: readonly unknown[]): Map<string, JsonObject> {
  const answers = new Map<string, JsonObject>();
  for (const response of responses) {
    if (!isObject(response)) continue;
    const id = String(response.id).toLowerCase();
    answers.set(id, answers.has(id) ? severalAnswers : response);
  }
  return answers;
}

function readItem(
  { status, headers, body }: JsonObject,
  ofBatch: { readonly requestId: string | null; readonly date: string | null },
): GraphReply {
  const code = Number(status);
  if (!Number.isInteger(code) || code < 200 || code > 599) return malformed("an item's answer has no status");
  if (code >= 300 && code < 400) return malformed(`an item is answered ${code}, which Graph does not say`);
  const answer = readAnswer(
    { status: code, headers: isObject(headers) ? headers : {}, requestId: ofBatch.requestId },
    typeof body === "string" ? parseJson(body) : body,
  );
  return requireObject({ ...answer, date: answer.date ?? ofBatch.date });
}

function malformed(detail: string): GraphReply {
  return silence("malformed", { sent: true, detail });
}
