/**
 * Reads the records of each partition into the core, as long as its window has room.
 *
 * 1. At most one read of an input is under way for a session, also when its partition is taken over again within it.
 * 2. What was read before the session changed, or before a new position was set, is read again.
 */
import { type InputTopic, inputTopics, type LogRecord, type Session } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import { epochBefore, noteEpoch } from "../intake/leader-epochs.ts";
import { isOwned, type OwnedPartition, sessionOf, trackOf } from "../ownership/partition.ts";
import { gapFault } from "../ownership/take-over.ts";
import type { Ports } from "../ports.ts";
import type { RegistrarSettings } from "../settings.ts";
import type { Intake } from "./intake.ts";
import type { Parker } from "./parker.ts";
import { createRoom } from "./room.ts";

export interface Reader {
  /** The partition is confirmed under its session: reads on from where it stands. */
  start(partition: OwnedPartition): void;
  /** There may be room, or the session may be over. */
  wake(partition: OwnedPartition): void;
}

export interface ReaderParts {
  readonly ports: Pick<Ports, "clock" | "observe">;
  readonly settings: RegistrarSettings;
  readonly owned: ReadonlyMap<number, OwnedPartition>;
  readonly intake: Intake;
  readonly parker: Parker;
  readonly isStopping: () => boolean;
  /** Something was read, so there may be something to commit. */
  readonly onRead: () => void;
  /** Takes the partition over again: its log is not the one that was read. */
  readonly regain: (partition: OwnedPartition, topic: InputTopic) => Promise<void>;
  readonly fault: (fault: Problem) => void;
}

export function createReader(parts: ReaderParts): Reader {
  const { settings, owned, intake, parker, isStopping } = parts;
  const { observe } = parts.ports;
  const room = createRoom({ clock: parts.ports.clock, settings, parker });
  /** Inputs that are being read, by session. */
  const reads = new WeakMap<Session, Set<string>>();
  return { start, wake: room.wake };

  function start(partition: OwnedPartition): void {
    const session = sessionOf(partition);
    for (const topic of inputTopics) {
      seek(partition, topic);
      // A loop that waits already continues from there.
      if (!readsOf(session).has(placeOf(topic, partition.number)))
        void read(partition.number, topic, session); // 1
    }
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
      // It is not known whether these came before or after the new position was set: read them again.
      const again = owned.get(number);
      if (again === undefined || !isCurrent(again, under)) return false;
      seek(again, topic); // 2
      return true;
    }
    if (result.kind === "records") await takeIn(partition, topic, { under, records: result.records });
    else if (settings.onRetentionGap === "stop")
      parts.fault(gapFault(topic, number, result)); // INV-KNOWN-LOG
    else {
      observe({
        kind: "gap-passed",
        topic,
        partition: number,
        detail: gapFault(topic, number, result).message,
      });
      if (result.why === "deleted") under.seek(topic, number, result.logStart, -1);
      else await parts.regain(partition, topic);
    }
    return !isStopping();
  }

  async function takeIn(
    partition: OwnedPartition,
    topic: InputTopic,
    { under, records }: { under: Session; records: readonly LogRecord[] },
  ): Promise<void> {
    if (!isCurrent(partition, under)) return;
    observe({ kind: "records-read", topic, partition: partition.number, count: records.length });
    for (const record of records) {
      // As many as there is room for in one turn, so that they can share requests. What is left of these records after a
      // change of session is read again under the next one.
      if (!hasRoomNow(partition, topic, under) && !(await isReadable(partition, topic, under))) return; // 2
      noteEpoch(partition.leaderEpochs[topic], record.offset, record.leaderEpoch);
      if (topic === "enrolled") intake.accept(partition, record);
      else intake.noteParked(partition, record);
    }
    if (topic === "retry") {
      parker.checkParked(partition);
      parker.refill(partition);
    }
    parts.onRead();
  }

  function hasRoomNow(partition: OwnedPartition, topic: InputTopic, under: Session): boolean {
    return isCurrent(partition, under) && room.isThere(partition, topic);
  }

  /** True once the window has room; false once the session is over. */
  async function isReadable(partition: OwnedPartition, topic: InputTopic, under: Session): Promise<boolean> {
    while (isCurrent(partition, under)) {
      if (room.isThere(partition, topic)) return true;
      await room.make(partition);
    }
    return false;
  }

  function isCurrent(partition: OwnedPartition, under: Session): boolean {
    const isConfirmed = isOwned(partition) && partition.confirmed && sessionOf(partition) === under;
    return !isStopping() && isConfirmed && !under.ended.aborted;
  }
}

function placeOf(topic: InputTopic, partition: number): string {
  return `${topic}/${partition}`;
}
