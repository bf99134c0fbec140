/** The bodies of creation requests, alone and in a `$batch`, and the taking apart of a batch's answer. Pure. */
import type { CreateRequest, GraphReply } from "../ports.ts";
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
 * A batch that failed as a whole gives each item that answer.
 */
export function readBatch(raw: RawAnswer, itemCount: number): GraphReply[] {
  const isProcessed = (raw.status >= 200 && raw.status < 300) || raw.status === 424;
  if (!isProcessed) return new Array(itemCount).fill(readRawAnswer(raw));
  const body = parseJson(raw.body);
  if (!isObject(body) || !Array.isArray(body.responses)) {
    return new Array(itemCount).fill(malformed(`the batch's answer (${raw.status}) holds no responses`));
  }
  const batchRequestId = headerOf(raw.headers, "request-id");
  const answers = byId(body.responses);
  return Array.from({ length: itemCount }, (_, index) => {
    const found = answers.get(String(index + 1));
    if (found === undefined) return malformed(`the batch's answer lacks item ${index + 1}`);
    return found === severalAnswers
      ? malformed(`the batch answers item ${index + 1} more than once`)
      : readItem(found, batchRequestId);
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

function readItem({ status, headers, body }: JsonObject, batchRequestId: string | null): GraphReply {
  const code = Number(status);
  if (!Number.isInteger(code) || code < 100 || code > 599) return malformed("an item's answer has no status");
  const answer = readAnswer(
    code,
    isObject(headers) ? headers : {},
    typeof body === "string" ? parseJson(body) : body,
    batchRequestId,
  );
  return requireObject(answer);
}

function malformed(detail: string): GraphReply {
  return silence("malformed", true, detail);
}
