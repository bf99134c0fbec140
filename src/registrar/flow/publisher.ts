/** Hands the outcome of a record to the appender, while it may be published, and reports when it is durable. */
import type { Moment } from "../../moment.ts";
import type { Clock, NewRecord } from "../../ports.ts";
import { isOwned, mayPublish, type UnsettledRecord } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";
import type { Appender } from "./appender.ts";
import type { Core } from "./core.ts";

export interface Outcome {
  readonly record: NewRecord;
  /** For the outcome of a create: when it was posted. */
  readonly postedAt: Moment | null;
}

/** `offset`: where it stands; null: the log does not say. Not called once the partition is lost. */
type OnDurable = (offset: number | null) => void;

export interface Publisher {
  append(unsettled: UnsettledRecord, outcome: Outcome, then: OnDurable): void;
  /** The record has its outcome then. */
  publish(unsettled: UnsettledRecord, outcome: Outcome, then: OnDurable): void;
}

const appended = { kind: "appended" } as const;

export function createPublisher(
  {
    clock,
    settings: { requestTimeoutMs },
    raise,
  }: { clock: Clock; settings: Pick<RegistrarSettings, "requestTimeoutMs">; raise: Core["raise"] },
  appender: Pick<Appender, "append">,
): Publisher {
  return {
    append,
    publish: (unsettled, outcome, then) =>
      append(unsettled, outcome, (offset) => {
        then(offset);
        raise(unsettled, appended);
      }),
  };

  function append(unsettled: UnsettledRecord, { record, postedAt }: Outcome, then: OnDurable): void {
    const { partition } = unsettled;
    appender.append({
      record,
      mayPublish: () => mayPublish(partition, { postedAt, requestTimeoutMs }, clock), // INV-SETTLE-TIME
      done(durable, offset) {
        if (durable && isOwned(partition)) then(offset); // INV-DURABLE-OUTCOME
      },
    });
  }
}
