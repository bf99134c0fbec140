/** A connection of kafkajs's, as far as this adapter looks into it. */

export interface BrokerConnection {
  /** host:port */
  readonly broker: string;
  readonly requestQueue: RequestQueue;
}

export interface RequestQueue {
  readonly inflight: ReadonlyMap<
    number,
    { readonly sentAt: number; readonly entry: { readonly apiName: string } }
  >;
  readonly pending: readonly unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  fulfillRequest(answer: unknown): void;
}
