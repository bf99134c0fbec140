/** What was taken in a moment ago and the index may not have read yet, so that its status address answers immediately. */

export interface RecentEvent {
  readonly key: string;
  readonly tenantId: string;
  readonly eventId: string;
}

export interface Recent {
  note(event: RecentEvent): void;
  find(key: string): RecentEvent | null;
}

const recentMax = 20_000;

/** The last `max` at the least, twice as many at the most: dropping them one by one costs more than to note them. */
export function createRecent(max: number = recentMax): Recent {
  let events = new Map<string, RecentEvent>();
  let before: ReadonlyMap<string, RecentEvent> = new Map();
  return {
    note({ key, tenantId, eventId }) {
      if (events.size >= max) {
        before = events;
        events = new Map();
      }
      // Member by member: what else the caller's object holds, such as the record, would stay in memory.
      events.set(key, { key, tenantId, eventId });
    },
    find: (key) => events.get(key) ?? before.get(key) ?? null,
  };
}
