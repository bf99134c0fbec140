/** The time limits of a member of the group. */

export interface MemberTimeouts {
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

export interface MemberTiming extends MemberTimeouts {
  readonly heartbeatMs: number;
  /** How much earlier than the coordinator the worker considers its session over. */
  readonly marginMs: number;
}

/** `instanceId`: of a static member; null: it is none. */
export interface MemberSettings extends MemberTiming {
  readonly instanceId: string | null;
}
