/** Why the registrar stops by itself: faults. No retry and no single record could change one. */
import type { Problem } from "../problem.ts";

export const idsRefused: Problem = {
  code: "graph-ids-refused",
  message: "Graph refuses objects that carry an id (the same record was accepted without one).",
  fix: "Set GRAPH_SEND_ID=omit and start again. Nothing was dead-lettered; all that is unsettled will be taken up.",
};

export function routeMissing(detail: string): Problem {
  return {
    code: "graph-route-missing",
    message: `Graph does not offer POST /beta/deviceManagement/certificateConnectorDetails: ${detail}`,
    fix: "Check GRAPH_CLOUD and GRAPH_BASE_URL, and that the tenant has Intune. Nothing was dead-lettered.",
  };
}

export function membershipLost(reason: string): Problem {
  return {
    code: "membership-lost",
    message: `The worker can't continue to read from the log: ${reason}`,
    fix: "Correct that, then start it again. Nothing is lost: it continues from what is committed.",
  };
}

export function parkedRecordsGone(partition: number, from: number): Problem {
  return {
    code: "parked-records-gone",
    message: `retry partition ${partition}: records from offset ${from} on, parked and not settled, are no longer there.`,
    fix: "Give the retry topic a longer retention. Start again with ON_RETENTION_GAP=continue to continue with what is there; what is gone is not registered.",
  };
}

/** `first`: a record whose copy is lost. */
export function parkedCopyLost(
  partition: number,
  first: { readonly enrolledOffset: number; readonly retryOffset: number | null },
): Problem {
  return {
    code: "parked-copy-lost",
    message:
      `retry partition ${partition}: the log no longer holds offset ${first.retryOffset}, a copy of ` +
      `enrolled/${partition}@${first.enrolledOffset} that it had acknowledged.`,
    fix:
      "Find out why the brokers lost what they had stored (an unclean election, a damaged disk, a topic restored shorter), then " +
      "start again. Nothing of it is lost: the record is unsettled in connector.enrolled, and is taken up from there.",
  };
}

/** `what`: how it differs from what was known. */
export function ledgerLost(partition: number, what: string): Problem {
  return {
    code: "ledger-lost",
    message:
      `connector.registered partition ${partition} is not the memory that this worker knew: ${what}. ` +
      "Going on would create objects a second time.",
    fix:
      "Restore connector.registered from a backup or a replica, and start again. If this is another Kafka cluster on " +
      "purpose, set DATA_DIR to an empty folder and KAFKA_GROUP_ID to a new name: what was registered before and is emitted " +
      "again then makes a second object.",
  };
}

export interface Misplaced {
  readonly misplaced: number;
  /** A registered record that belongs elsewhere. */
  readonly first: { readonly offset: number; readonly home: number };
  readonly partitionCount: number;
}

export function ledgerMisplaced(partition: number, { misplaced, first, partitionCount }: Misplaced): Problem {
  return {
    code: "ledger-misplaced",
    message:
      `registered partition ${partition}: ${misplaced} ${misplaced === 1 ? "record belongs" : "records belong"} into another ` +
      `partition (the first, at offset ${first.offset}, into ${first.home}). The partition count was changed without moving ` +
      "them, so what is registered would be taken for new and made a second time.",
    fix: `Stop every worker, then type: connector-registrar repartition --partitions ${partitionCount + 1}`,
  };
}

/** The topic with a count of its own: `was`, when this worker opened the log. */
export interface Recounted {
  readonly topic: string;
  readonly was: number;
  readonly is: number;
}

export function partitionsChanged({ topic, was, is }: Recounted): Problem {
  return {
    code: "topic-partitions",
    message:
      `connector.${topic} has ${is} partitions, and had ${was} when this worker started. No worker reads what comes into another ` +
      "one, and producers send a tenant's events to another partition than the one that knows what is registered of it.",
    fix: `Stop every worker, then type: connector-registrar repartition --partitions ${Math.max(was, is)}`,
  };
}
