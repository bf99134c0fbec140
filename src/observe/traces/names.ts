/**
 * Names of attributes, of OpenTelemetry's semantic conventions: a test compares them with the package of that version. What
 * the conventions have no name for is under `connector_registrar.`.
 */
import { keyOf } from "./protobuf.ts";

export const conventionsVersion = "1.45.0";
export const schemaUrl = `https://opentelemetry.io/schemas/${conventionsVersion}`;

export const conventional = {
  messagingSystem: keyOf("messaging.system.name"),
  operationName: keyOf("messaging.operation.name"),
  operationType: keyOf("messaging.operation.type"),
  destination: keyOf("messaging.destination.name"),
  destinationPartition: keyOf("messaging.destination.partition.id"),
  consumerGroup: keyOf("messaging.consumer.group.name"),
  clientId: keyOf("messaging.client.id"),
  offset: keyOf("kafka.offset"),
  batchCount: keyOf("messaging.batch.message_count"),
  eventId: keyOf("cloudevents.event_id"),
  eventType: keyOf("cloudevents.event_type"),
  method: keyOf("http.request.method"),
  resendCount: keyOf("http.request.resend_count"),
  statusCode: keyOf("http.response.status_code"),
  retryAfter: keyOf("http.response.header.retry-after"),
  requestId: keyOf("http.response.header.request-id"),
  clientRequestId: keyOf("http.request.header.client-request-id"),
  route: keyOf("http.route"),
  urlTemplate: keyOf("url.template"),
  urlPath: keyOf("url.path"),
  urlScheme: keyOf("url.scheme"),
  serverAddress: keyOf("server.address"),
  serverPort: keyOf("server.port"),
  errorType: keyOf("error.type"),
} as const;

/** Ours. */
export const own = {
  tenantId: keyOf("connector_registrar.tenant_id"),
  idempotencyKey: keyOf("connector_registrar.idempotency_key"),
  outcome: keyOf("connector_registrar.outcome"),
  deadLetterCode: keyOf("connector_registrar.dead_letter_code"),
  verdict: keyOf("connector_registrar.verdict"),
  detail: keyOf("connector_registrar.detail"),
  retryInMs: keyOf("connector_registrar.retry_in_ms"),
  batchItems: keyOf("connector_registrar.batch_items"),
  records: keyOf("connector_registrar.records"),
} as const;
