/** What kafkajs throws and brokers answer, sorted by what is to be done about it. */
import { errorChain, isConnectionClosed, isRefusedLogin, isUnsupportedRequest } from "./kafkajs-internals.ts";

/** Kafka's error codes that this adapter treats one by one. */
export const errorCodes = {
  unknownServerError: -1,
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  recordListTooLarge: 18,
  topicAuthorizationFailed: 29,
  duplicateSequence: 46,
} as const;

const names: Readonly<Record<number, string>> = {
  [-1]: "UNKNOWN_SERVER_ERROR",
  1: "OFFSET_OUT_OF_RANGE",
  2: "CORRUPT_MESSAGE",
  3: "UNKNOWN_TOPIC_OR_PARTITION",
  5: "LEADER_NOT_AVAILABLE",
  6: "NOT_LEADER_OR_FOLLOWER",
  7: "REQUEST_TIMED_OUT",
  8: "BROKER_NOT_AVAILABLE",
  9: "REPLICA_NOT_AVAILABLE",
  10: "MESSAGE_TOO_LARGE",
  13: "NETWORK_EXCEPTION",
  14: "GROUP_LOAD_IN_PROGRESS",
  15: "GROUP_COORDINATOR_NOT_AVAILABLE",
  16: "NOT_COORDINATOR_FOR_GROUP",
  17: "INVALID_TOPIC_EXCEPTION",
  18: "RECORD_LIST_TOO_LARGE",
  19: "NOT_ENOUGH_REPLICAS",
  20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  22: "ILLEGAL_GENERATION",
  23: "INCONSISTENT_GROUP_PROTOCOL",
  24: "INVALID_GROUP_ID",
  25: "UNKNOWN_MEMBER_ID",
  26: "INVALID_SESSION_TIMEOUT",
  27: "REBALANCE_IN_PROGRESS",
  29: "TOPIC_AUTHORIZATION_FAILED",
  30: "GROUP_AUTHORIZATION_FAILED",
  31: "CLUSTER_AUTHORIZATION_FAILED",
  32: "INVALID_TIMESTAMP",
  44: "POLICY_VIOLATION",
  45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
  46: "DUPLICATE_SEQUENCE_NUMBER",
  47: "INVALID_PRODUCER_EPOCH",
  49: "INVALID_PRODUCER_ID_MAPPING",
  56: "KAFKA_STORAGE_ERROR",
  59: "UNKNOWN_PRODUCER_ID",
  74: "FENCED_LEADER_EPOCH",
  75: "UNKNOWN_LEADER_EPOCH",
  76: "UNSUPPORTED_COMPRESSION_TYPE",
  78: "OFFSET_NOT_AVAILABLE",
  81: "GROUP_MAX_SIZE_REACHED",
  82: "FENCED_INSTANCE_ID",
  87: "INVALID_RECORD",
  100: "UNKNOWN_TOPIC_ID",
  103: "INCONSISTENT_TOPIC_ID",
};

export function errorName(code: number): string {
  return names[code] ?? `error ${code}`;
}

/** The partition has moved, or its leader is not ready: refresh the metadata and try again. */
const passing = new Set([3, 5, 6, 7, 8, 9, 13, 19, 20, 56, 74, 75, 78, 100, 103]);

export function isPassing(code: number): boolean {
  return passing.has(code);
}

/** An error code in an answer that this adapter read itself, in the form in which kafkajs throws those that it reads. */
export class AnswerError extends Error {
  readonly type: string;

  constructor(code: number, what: string) {
    super(`${errorName(code)}: ${what}`);
    this.type = errorName(code);
  }
}

/** Kafka's name of a protocol error (`ILLEGAL_GENERATION`), or null when the broker did not answer. */
export function protocolError(error: unknown): string | null {
  for (const link of errorChain(error)) if (typeof link.type === "string") return link.type;
  return null;
}

/** Of a connection that broke in plain text against a port that speaks TLS: this adapter's own code. */
export const plainTextOnTlsPort = "PLAIN_TEXT_ON_TLS_PORT";

/** Node's code of what broke a connection (`ECONNRESET`, `CERT_HAS_EXPIRED`), or "". */
export function connectionCode(error: unknown): string {
  for (const { code } of errorChain(error)) if (typeof code === "string") return code;
  return "";
}

/** The broker closed the connection instead of an answer. */
export function hungUp(error: unknown): boolean {
  return errorChain(error).some(isConnectionClosed);
}

/** One line for people. */
export function reasonOf(error: unknown): string {
  const links = errorChain(error);
  const innermost = links.at(-1);
  const type = protocolError(error);
  const text = (innermost?.message ?? String(error)).split("\n")[0] ?? "";
  return type && !text.includes(type) ? `${type}: ${text}` : text;
}

const refusals = new Set([
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "ILLEGAL_SASL_STATE",
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "UNSUPPORTED_VERSION",
  "INVALID_GROUP_ID",
  "INVALID_SESSION_TIMEOUT",
  "INCONSISTENT_GROUP_PROTOCOL",
  "GROUP_MAX_SIZE_REACHED",
]);

/** A refusal that no repetition changes: someone has to change a setting. */
export function isRefusal(error: unknown): boolean {
  return errorChain(error).some(
    (link) =>
      (typeof link.type === "string" && refusals.has(link.type)) ||
      isRefusedLogin(link) ||
      isUnsupportedRequest(link),
  );
}

const unreadable = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "INVALID_REQUEST",
  "POLICY_VIOLATION",
  "SECURITY_DISABLED",
  "UNSUPPORTED_VERSION",
]);

/** This client may not ask for that, or this broker does not tell: what is only looked at goes without it. */
export function isUnreadable(error: unknown): boolean {
  return errorChain(error).some(
    (link) => (typeof link.type === "string" && unreadable.has(link.type)) || isUnsupportedRequest(link),
  );
}
