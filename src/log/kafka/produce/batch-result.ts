/**
 * What a broker's answer to a batch means. A batch that may be stored is never taken for refused: its sequence would be
 * used again, and the broker would drop the next batch as a duplicate, with a "stored".
 */
import { errorCodes, errorName, isPassing } from "../cluster/errors.ts";
import type { KafkaFlavor } from "../flavor.ts";

/**
 * "retry": to be sent again, byte for byte. "refused": certainly not stored, its sequence is free. "afresh": certainly not
 * stored, its records may go out under another producer id. "unknown": its fate is not known, and stays so; nothing more may
 * be sent under this producer id.
 */
export type BatchResult = "stored" | "retry" | "refused" | "afresh" | "unknown";

/** Answers that come before anything is stored. */
const refusals = new Set([2, 10, 17, 18, 29, 31, 32, 44, 76, 87]);
/** The broker does not know the producer, or another one under its id: looked at before anything is stored. */
const producerUnknown = new Set([47, 49, 59]);
/** Passing ones that come before anything is stored. */
const elsewhere = new Set([3, 5, 6, 19, 74, 75, 100, 103]);

/** @param mayBeStored an earlier sending of this batch may have stored it. */
export function batchResult(errorCode: number, mayBeStored: boolean): BatchResult {
  if (errorCode === errorCodes.none) return "stored";
  // Of a batch that was never sent before, some other one was stored under its sequence.
  if (errorCode === errorCodes.duplicateSequence) return mayBeStored ? "stored" : "unknown";
  if (isPassing(errorCode)) return "retry";
  if (mayBeStored) return "unknown";
  if (producerUnknown.has(errorCode)) return "afresh";
  return refusals.has(errorCode) ? "refused" : "unknown";
}

/** After a passing answer: whether this sending may have stored the batch. */
export function mayHaveStored(errorCode: number): boolean {
  return !elsewhere.has(errorCode);
}

export function isTooLarge(errorCode: number): boolean {
  return errorCode === errorCodes.messageTooLarge || errorCode === errorCodes.recordListTooLarge;
}

export interface RefusedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: number;
}

/** For people: what was refused, where, what to type. */
export function refusalOf(flavor: KafkaFlavor, errorCode: number, batch: RefusedBatch): string {
  const { topic, partition } = batch;
  if (isTooLarge(errorCode)) return tooLargeFor(flavor, batch);
  if (errorCode === errorCodes.topicAuthorizationFailed) {
    const grant =
      flavor === "event-hubs"
        ? "grant this client's identity the role Azure Event Hubs Data Sender on the namespace"
        : `allow it: kafka-acls.sh --add --operation Write --topic ${topic} --allow-principal User:<its name>`;
    return `${errorName(errorCode)}: this client may not Write to topic ${topic}; ${grant}`;
  }
  return `${errorName(errorCode)} for ${topic}/${partition}`;
}

export function tooLargeFor(flavor: KafkaFlavor, { topic, partition, bytes }: RefusedBatch): string {
  const what = `a record of about ${bytes} bytes is larger than ${topic}/${partition} takes`;
  if (flavor === "event-hubs")
    return `${what}: Event Hubs closes the connection of a request of more than 1,046,528 bytes; emit a shorter event`;
  return (
    `${what}; raise max.message.bytes: kafka-configs.sh ` +
    `--alter --entity-type topics --entity-name ${topic} --add-config max.message.bytes=${bytes * 2}`
  );
}
