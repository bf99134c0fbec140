/** What proves to a member that it is one. */
import type { Moment } from "../../../moment.ts";

/** A request that was answered as a heartbeat is: when it was sent, and to which coordinator. */
export interface Heartbeat {
  readonly nodeId: number;
  readonly sentAt: Moment;
}
