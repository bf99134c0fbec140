/**
 * One generation of the membership, as the worker sees it.
 *
 * Invariants
 * 1. Every request carries this session's own member id and generation, so the broker refuses it once they are over;
 *    no later generation can be mistaken for this one (session-requests.ts).
 * 2. `end` takes effect synchronously: after it nothing is delivered, committed or held.
 * 3. Another process may take a static member's place at any moment, and this one learns of it no later than its lease ends:
 *    before a session time-out is over.
 */

import { elapsedMs, momentOf } from "../../../moment.ts";
import type { Session } from "../../../ports.ts";
import { inputTopics } from "../../../ports.ts";
import { createFetchBuffer } from "../fetch/fetch-buffer.ts";
import { createFetcher } from "../fetch/fetcher.ts";
import { createLastHeartbeats, type Heartbeat } from "./heartbeat.ts";
import type { SessionOptions } from "./session-options.ts";
import { SessionRequests } from "./session-requests.ts";

export interface OwnSession {
  readonly session: Session;
  /** Still a member of this generation, and no rebalance has begun. */
  recordHeartbeat(heartbeat: Heartbeat): void;
  end(): void;
}

/** Of the session time-out: room for clocks that run differently here and there. */
const marginShare = 1 / 5;

export function createSession({ generation, joined, settings, ports, clock }: SessionOptions): OwnSession {
  const { memberId, memberIds, partitions, topicIds } = generation;
  const ended = new AbortController();
  const leaseMs = settings.sessionTimeoutMs * (1 - marginShare);
  const lastHeartbeats = createLastHeartbeats(joined);
  const inputs = inputTopics.flatMap((topic) => {
    const name = settings.nameOf(topic);
    return partitions.map((partition) => ({ topic, name, topicId: topicIds.get(name) ?? null, partition }));
  });
  const buffer = createFetchBuffer(inputs, () => fetcher.pump());
  const { connections, onFatal } = ports;
  const fetcher = createFetcher({ buffer, connections, settings, clock, onFatal });
  const onStored = lastHeartbeats.commitStoredBy;
  const { signal } = ended;
  const requests = new SessionRequests({ generation, settings, ports, clock, ended: signal, onStored });
  const session: Session = {
    partitions,
    ended: signal,
    leaseMs,
    heldUntilMs() {
      const lastHeartbeatAt = lastHeartbeats.at();
      if (signal.aborted || lastHeartbeatAt === null) return Number.NEGATIVE_INFINITY;
      // By both clocks: a suspended machine stops the monotonic one, while a rebalance begins and ends.
      const now = momentOf(clock);
      return now.monotonicMs + leaseMs - elapsedMs(lastHeartbeatAt, now);
    },
    positions: requests.positions,
    seek: buffer.seek,
    read: buffer.read,
    commit: requests.commit,
    ...(settings.instanceId === null ? {} : { holder: { memberId, overlapMs: settings.sessionTimeoutMs } }), // 3
    joinedBy: (other) => memberIds.has(other),
  };
  const end = () => {
    if (signal.aborted) return;
    fetcher.stop();
    ended.abort();
    buffer.end();
  };
  return { session, recordHeartbeat: lastHeartbeats.record, end };
}
