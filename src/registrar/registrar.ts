/**
 * The worker: joins the group, owns partitions, reads their records into the pipeline, commits what settled.
 * Reading order: partition.ts (what is held), ownership.ts (sessions), pipeline.ts (records), committer.ts.
 */
import type { BreakerState } from "../policy/breaker.ts";
import { type InputTopic, inputTopics, type LogRecord, type Membership, type Session } from "../ports.ts";
import { type Fault, membershipLost } from "./fault.ts";
import { createPipeline, type Ports } from "./flow/pipeline.ts";
import { epochBefore, noteEpoch } from "./intake/leader-epochs.ts";
import { parkedCount } from "./intake/parking.ts";
import { hasRoom } from "./intake/window.ts";
import { createLedgerReader } from "./ledger/ledger-reader.ts";
import { createCommitter } from "./ownership/committer.ts";
import { createLogWatch } from "./ownership/log-watch.ts";
import { createOwnership } from "./ownership/ownership.ts";
import { isHeld, isOwned, type OwnedPartition, sessionOf, trackOf } from "./ownership/partition.ts";
import { gapFault } from "./ownership/take-over.ts";
import { createPersist } from "./persist.ts";
import type { RegistrarSettings } from "./settings.ts";
import { sleep } from "./timers.ts";

export interface RegistrarStatus {
  readonly ready: boolean;
  /** One line for each part that isn't ready, and why. */
  readonly notReady: readonly string[];
  readonly partitions: readonly number[];
  /** Requests to Graph under way. */
  readonly inFlight: number;
  /** Records that wait for a request or a read-back. */
  readonly waiting: number;
  /** Records in the retry topic that wait for their tenant. */
  readonly parked: number;
  readonly ledgerEntries: number;
  readonly breaker: BreakerState;
  readonly blockedTenants: readonly string[];
  /** Records in the input topics that are not settled, as of the last look at the log. */
  readonly lagRecords: number;
}

export interface Registrar {
  /** Resolves when it has stopped: null after `stop`, else why it stopped by itself. Never rejects. */
  readonly done: Promise<Fault | null>;
  /** Begins nothing new, waits up to `drainMs` for what is in flight, commits, leaves the group. Idempotent. */
  stop(drainMs: number): Promise<void>;
  status(): RegistrarStatus;
}

const faultDrainMs = 5_000;
const drainPollMs = 20;
const fullWindowWaitMs = 250;
const closingMax = 3_000;
/** At a stop a snapshot is worth it sooner. */
const snapshotAtStopMin = 1_000;

export function startRegistrar(ports: Ports, settings: RegistrarSettings): Registrar {
  const { log, clock, observe } = ports;
  const owned = new Map<number, OwnedPartition>();
  const ended = Promise.withResolvers<Fault | null>();
  /** Inputs that are being read, by session: at most one read of each is under way. */
  const reads = new WeakMap<Session, Set<string>>();
  let session: Session | null = null;
  let stopping: Promise<void> | null = null;

  const pipeline = createPipeline(ports, settings, {
    settled(partition) {
      wakeReaders(partition);
      committer.mark();
    },
    promiseNeeded: () => committer.urge(),
    leaseNeeded: () => committer.urge(),
    fault: fail,
  });
  const committer = createCommitter(
    ports,
    settings,
    owned,
    (partition) => pipeline.advanceWaiting(partition),
    pipeline.takesIds,
  );
  const persist = createPersist(ports, fail);
  const ledgers = createLedgerReader(ports, persist);
  const ownership = createOwnership(ports, settings, owned, ledgers, persist, pipeline.takesIds, {
    ready: startReading,
    released: (partition) => pipeline.advanceWaiting(partition),
    lost: wakeReaders,
    commitUnknown: () => committer.distrust(),
    fault: fail,
  });
  const watch = createLogWatch(ports, owned, pipeline.checkParked, fail);
  let cancelSnapshots = clock.after(settings.snapshotIntervalMs, () => void saveSnapshots());
  // A turn later: a log may refuse at once, and then everything here must be in place already.
  const joining: Promise<Membership> = Promise.resolve().then(() =>
    log.join(onSession, (reason, problem) => fail(problem ?? membershipLost(reason))),
  );

  return { done: ended.promise, stop, status };

  function onSession(next: Session): void {
    if (stopping !== null) return;
    session = next;
    ownership.begin(next);
    for (const partition of owned.values()) wakeReaders(partition);
  }

  // ── reading ──

  function startReading(partition: OwnedPartition): void {
    if (stopping !== null) return;
    const session = sessionOf(partition);
    for (const topic of inputTopics) {
      seek(partition, topic);
      // One that waits already goes on from there: a partition may be taken over again within a session.
      if (!readsOf(session).has(placeOf(topic, partition.number)))
        void read(partition.number, topic, session);
    }
    committer.mark();
    pipeline.poke();
    pipeline.refill(partition);
  }

  function seek(partition: OwnedPartition, topic: InputTopic): void {
    const { nextOffset } = trackOf(partition, topic);
    const epoch = epochBefore(partition.leaderEpochs[topic], nextOffset);
    sessionOf(partition).seek(topic, partition.number, nextOffset, epoch);
  }

  function readsOf(session: Session): Set<string> {
    const known = reads.get(session) ?? new Set();
    reads.set(session, known);
    return known;
  }

  async function read(number: number, topic: InputTopic, under: Session): Promise<void> {
    const underWay = readsOf(under).add(placeOf(topic, number));
    let partition = owned.get(number);
    while (partition !== undefined && (await readOnce(partition, topic, under)))
      partition = owned.get(number);
    underWay.delete(placeOf(topic, number));
  }

  /** False when there is nothing more to read under this session. */
  async function readOnce(partition: OwnedPartition, topic: InputTopic, under: Session): Promise<boolean> {
    const { number } = partition;
    // Perhaps it was taken over again meanwhile, under the same session.
    if (!(await isReadable(partition, topic, under))) return owned.get(number) !== partition;
    const result = await under.read(topic, number);
    if (result.kind === "ended") return false;
    if (owned.get(number) !== partition) {
      // Whether these came before or after its new position was set can't be told: read them again.
      const again = owned.get(number);
      if (again === undefined || !isCurrent(again, under)) return false;
      seek(again, topic);
      return true;
    }
    if (result.kind === "records") await takeIn(partition, topic, under, result.records);
    else if (settings.onRetentionGap === "stop") fail(gapFault(topic, number, result));
    else if (result.why === "deleted") under.seek(topic, number, result.logStart, -1);
    else await ownership.regain(partition, topic);
    return stopping === null;
  }

  async function takeIn(
    partition: OwnedPartition,
    topic: InputTopic,
    under: Session,
    records: readonly LogRecord[],
  ): Promise<void> {
    if (!isCurrent(partition, under)) return;
    observe({ kind: "records-read", topic, partition: partition.number, count: records.length });
    for (const record of records) {
      // All that there is room for in one turn, so that it can share requests. What is left of these records after a
      // change of session is read again under the next one.
      if (!hasRoomNow(partition, topic, under) && !(await isReadable(partition, topic, under))) return;
      noteEpoch(partition.leaderEpochs[topic], record.offset, record.leaderEpoch);
      if (topic === "enrolled") pipeline.accept(partition, record);
      else pipeline.noteParked(partition, record);
    }
    if (topic === "retry") pipeline.refill(partition);
    committer.mark();
  }

  function hasRoomNow(partition: OwnedPartition, topic: InputTopic, under: Session): boolean {
    if (!isCurrent(partition, under)) return false;
    return topic === "retry" || hasRoom(partition.window, settings.windowRecords);
  }

  /** True once the window has room; false once the session is over. */
  async function isReadable(partition: OwnedPartition, topic: InputTopic, under: Session): Promise<boolean> {
    while (isCurrent(partition, under)) {
      if (hasRoomNow(partition, topic, under)) return true;
      pipeline.makeRoom(partition);
      await roomOrTime(partition);
    }
    return false;
  }

  /** A tenant may become slow without anything being settled, so after a while it is time to look again. */
  function roomOrTime(partition: OwnedPartition): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        partition.roomWaiters.delete(wake);
        resolve();
      };
      const cancel = clock.after(fullWindowWaitMs, wake);
      partition.roomWaiters.add(wake);
    });
  }

  function isCurrent(partition: OwnedPartition, under: Session): boolean {
    const isConfirmed = isOwned(partition) && partition.confirmed && sessionOf(partition) === under;
    return stopping === null && isConfirmed && !under.ended.aborted;
  }

  function wakeReaders(partition: OwnedPartition): void {
    if (partition.roomWaiters.size === 0) return;
    const waiters = [...partition.roomWaiters];
    partition.roomWaiters.clear();
    for (const wake of waiters) wake();
  }

  // ── the end ──

  function fail(fault: Fault): void {
    if (stopping !== null) return;
    observe({ kind: "fault", ...fault });
    stopping = shutDown(faultDrainMs, fault);
  }

  function stop(drainMs: number): Promise<void> {
    stopping ??= shutDown(drainMs, null);
    return stopping;
  }

  /** Ends within `drainMs`, whatever hangs: the commit, the goodbye and the snapshots have the last part of it. */
  async function shutDown(drainMs: number, fault: Fault | null): Promise<void> {
    pipeline.stop();
    watch.stop();
    cancelSnapshots();
    for (const partition of owned.values()) wakeReaders(partition);
    const deadlineMs = clock.nowMs() + drainMs;
    const drainedMs = deadlineMs - Math.min(closingMax, drainMs / 3);
    const beforeDeadline = (work: Promise<unknown>) =>
      Promise.race([work, sleep(clock, Math.max(0, deadlineMs - clock.nowMs()))]);
    while (!pipeline.isIdle() && clock.nowMs() < drainedMs) await sleep(clock, drainPollMs);
    if (session !== null) await beforeDeadline(committer.finish(session));
    // Joining may hang on an unreachable broker; then the session time-out does what leaving would have done.
    await beforeDeadline(joining.then((membership) => membership.leave()));
    const late = new AbortController();
    const entriesMin = Math.min(snapshotAtStopMin, settings.snapshotEntriesMin);
    await beforeDeadline(ledgers.save([...owned.values()], entriesMin, late.signal));
    late.abort();
    ownership.dropAll();
    ended.resolve(fault);
  }

  async function saveSnapshots(): Promise<void> {
    for (const partition of owned.values()) {
      const lost = await ledgers.save([partition], settings.snapshotEntriesMin, partition.lost.signal);
      if (lost !== null) return fail(lost);
    }
    if (stopping === null)
      cancelSnapshots = clock.after(settings.snapshotIntervalMs, () => void saveSnapshots());
  }

  function status(): RegistrarStatus {
    const partitions = [...owned.values()].filter(({ confirmed }) => confirmed).map(({ number }) => number);
    const notReady: string[] = [];
    const trouble = log.trouble?.() ?? null;
    if (trouble !== null) notReady.push(`log: ${trouble}`);
    if (session === null) notReady.push("group: no partitions assigned yet");
    for (const number of session?.partitions ?? []) {
      if (!partitions.includes(number)) notReady.push(`partition ${number}: being taken over`);
    }
    if (partitions.length > 0 && ![...owned.values()].some((partition) => isHeld(partition, clock))) {
      notReady.push("group: no commit was acknowledged lately, so nothing is posted");
    }
    const { breaker, ...flow } = pipeline.status();
    if (breaker !== "closed") notReady.push(`graph: not answering, the circuit breaker is ${breaker}`);
    if (stopping !== null) notReady.push("worker: stopping");
    const ledgerEntries = [...owned.values()].reduce((sum, { ledger }) => sum + ledger.size, 0);
    const parked = [...owned.values()].reduce((sum, { parking }) => sum + parkedCount(parking), 0);
    const lagRecords = watch.lagRecords();
    return {
      ready: notReady.length === 0,
      notReady,
      partitions,
      parked,
      ledgerEntries,
      breaker,
      lagRecords,
      ...flow,
    };
  }
}

function placeOf(topic: InputTopic, partition: number): string {
  return `${topic}/${partition}`;
}
