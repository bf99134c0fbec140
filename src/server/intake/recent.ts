/** What was taken in a moment ago and the index may not have read yet: so that its status address answers at once. */

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

export function createRecent(max: number = recentMax): Recent {
  const events = new Map<string, RecentEvent>();
  return {
    note({ key, tenantId, eventId }) {
      events.delete(key);
      // Member by member: what else the caller's object holds, such as the record, would stay in memory.
      events.set(key, { key, tenantId, eventId });
      if (events.size > max) for (const oldest of events.keys()) return void events.delete(oldest);
    },
    find: (key) => events.get(key) ?? null,
  };
}
