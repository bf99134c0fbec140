/**
 * What a broker's answer to a batch means. A batch that may be stored is never taken for refused: its sequence would be
 * used again, and the broker would drop the next batch as a duplicate, with a "stored".
 */
import { errorCodes, errorName, isPassing } from "../cluster/errors.ts";

/**
 * "retry": to be sent again, byte for byte. "refused": certainly not stored, its sequence is free. "unknown": its fate is
 * not known, and stays so; nothing more may be sent under this producer id.
 */
export type BatchResult = "stored" | "retry" | "refused" | "unknown";

/** Answers that come before anything is stored. */
const refusals = new Set([2, 10, 17, 18, 29, 31, 32, 44, 76, 87]);
/** Passing ones that come before anything is stored. */
const elsewhere = new Set([3, 5, 6, 19, 74, 75, 100, 103]);

/** @param mayBeStored an earlier sending of this batch may have stored it. */
export function batchResult(errorCode: number, mayBeStored: boolean): BatchResult {
  if (errorCode === errorCodes.none) return "stored";
  // Of a batch that was never sent before, some other one was stored under its sequence.
  if (errorCode === errorCodes.duplicateSequence) return mayBeStored ? "stored" : "unknown";
  if (isPassing(errorCode)) return "retry";
  return refusals.has(errorCode) && !mayBeStored ? "refused" : "unknown";
}

/** After a passing answer: whether this sending may have stored the batch. */
export function mayHaveStored(errorCode: number): boolean {
  return !elsewhere.has(errorCode);
}

export function isTooLarge(errorCode: number): boolean {
  return errorCode === errorCodes.messageTooLarge || errorCode === errorCodes.recordListTooLarge;
}

/** For people: what was refused, where, what to type. */
export function refusalOf(
  errorCode: number,
  { topic, partition, bytes }: { readonly topic: string; readonly partition: number; readonly bytes: number },
): string {
  if (isTooLarge(errorCode)) {
    return (
      `a record of about ${bytes} bytes is larger than ${topic}/${partition} takes; raise max.message.bytes: kafka-configs.sh ` +
      `--alter --entity-type topics --entity-name ${topic} --add-config max.message.bytes=${bytes * 2}`
    );
  }
  if (errorCode === errorCodes.topicAuthorizationFailed) {
    return (
      `${errorName(errorCode)}: this client may not Write to topic ${topic}; allow it: kafka-acls.sh --add ` +
      `--operation Write --topic ${topic} --allow-principal User:<its name>`
    );
  }
  return `${errorName(errorCode)} for ${topic}/${partition}`;
}
