/**
 * `scan` and `tail`: reading without membership, by fetching from the leaders directly. No consumer group is joined, so
 * a scan costs two round trips more than its data.
 */
import type { Clock, EventLog, LogRecord, LogTail, ScanResult, Topic } from "../ports.ts";
import type { Wire } from "./client.ts";
import { errorCodes, errorName, isPassing, isRefusal, reasonOf } from "./errors.ts";
import { type Fetched, type FetchPart, fetchRequest } from "./fetch-request.ts";
import { isRecreated } from "./gaps.ts";
import type { Line } from "./line.ts";
import { leaderOf, listBounds, type Place } from "./offsets.ts";
import { decodeBatches, type RawRecord } from "./record-batch.ts";

export interface ReaderSettings {
  readonly nameOf: (topic: Topic) => string;
  /** A scan or tail that makes no progress for so long fails. */
  readonly stallMs: number;
}

const scanLimits = { maxWaitMs: 100, maxBytes: 512 * 1024 };
const tailLimits = { maxWaitMs: 500, maxBytes: 8 * 1024 * 1024 };
const tailPartitionBytes = 1024 * 1024;
const retryDelayMs = 100;

export function logRecords(topic: Topic, partition: number, records: readonly RawRecord[]): LogRecord[] {
  return records.map((record) => ({
    topic,
    partition,
    offset: record.offset,
    key: record.key,
    value: record.value,
    headers: record.headers,
    timestampMs: record.timestampMs,
    leaderEpoch: record.leaderEpoch,
  }));
}

export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}

/** Waits for a promise, but not longer than so; its failure is nobody's concern. */
export async function waitAtMost(clock: Clock, limitMs: number, promise: Promise<unknown>): Promise<void> {
  let cancel = () => {};
  const limit = new Promise<void>((resolve) => {
    cancel = clock.after(limitMs, resolve);
  });
  await Promise.race([promise.catch(() => {}), limit]);
  cancel();
}

/** Trouble that passes is waited out; this says when that has gone on for too long. */
function patience(clock: Clock, stallMs: number) {
  let since: number | null = null;
  return {
    progress() {
      since = null;
    },
    /** False when it is time to give up. */
    async trouble(): Promise<boolean> {
      since ??= clock.nowMs();
      if (clock.nowMs() - since > stallMs) return false;
      await delay(clock, retryDelayMs);
      return true;
    },
  };
}

export function createScan(line: Line, settings: ReaderSettings, clock: Clock): EventLog["scan"] {
  return async (topic, partition, fromOffset, onRecords, signal): Promise<ScanResult> => {
    const place = { topic: settings.nameOf(topic), partition };
    const wait = patience(clock, settings.stallMs);
    let topicId: string | null = null;
    let position = fromOffset;
    let lastEpoch = -1;
    let end: number | null = null;
    let emptyAnswers = 0;
    let beyondEnd = 0;
    for (;;) {
      if (signal.aborted) return { ok: false, reason: "the scan was aborted" };
      let wire: Wire | null = null;
      try {
        wire = await line.wire();
        topicId ??= wire.topicId(place.topic);
        if (isRecreated(wire, { name: place.topic, topicId })) return madeAgain(place);
        if (end === null) {
          const [bounds] = await listBounds(wire, [place], true);
          position = Math.max(position, bounds!.start);
          end = bounds!.end;
        }
        if (position === end) return { ok: true, nextOffset: position };
        const fetched = await fetchOne(wire, { ...place, topicId, offset: position, lastEpoch });
        if (signal.aborted) return { ok: false, reason: "the scan was aborted" };
        if (fetched.diverges) return otherRecords(place, position);
        if (fetched.errorCode === errorCodes.offsetOutOfRange) {
          const [bounds] = await listBounds(wire, [place], true);
          if (position > bounds!.end) {
            // Twice, by the newest metadata: the first answer may be one of a leader of the past.
            beyondEnd += 1;
            if (beyondEnd >= 2) return endsBefore(place, position, bounds!.end);
            throw new PassingError(`no offset ${position}`);
          }
          // Retention moved the start meanwhile: from there, then.
          position = Math.max(position, bounds!.start);
          end = Math.min(end, bounds!.end);
          continue;
        }
        const decoded = decodeBatches(fetched.bytes, position, fetched.aborted);
        if (decoded.nextOffset === position) {
          if (position > end) {
            // The leader has the offset, but does not know yet how far its records are replicated.
            end = null;
            throw new PassingError(`the end is not known yet, it is at least ${position}`);
          }
          // Compaction may have removed the last records before the end: twice nothing where the leader says that it
          // has more means that nothing is left.
          emptyAnswers += 1;
          if (emptyAnswers >= 2 && fetched.stableEnd >= end) return { ok: true, nextOffset: end };
          if (await wait.trouble()) continue;
          return { ok: false, reason: `no records come from ${place.topic}/${partition} at ${position}` };
        }
        emptyAnswers = 0;
        wait.progress();
        position = decoded.nextOffset;
        lastEpoch = decoded.lastEpoch;
        if (decoded.records.length > 0) onRecords(logRecords(topic, partition, decoded.records));
        if (position >= end) return { ok: true, nextOffset: position };
      } catch (error) {
        const reason = `${place.topic}/${partition}: ${reasonOf(error)}`;
        if (wire && !(error instanceof PassingError)) line.drop(wire);
        if (isRefusal(error) || !(await wait.trouble())) return { ok: false, reason };
        if (wire && !wire.closed) await wire.refresh().catch(() => line.drop(wire!));
      }
    }
  };
}

function endsBefore(place: Place, position: number, logEnd: number): ScanResult {
  const reason = `${place.topic}/${place.partition} ends at ${logEnd}, before ${position}`;
  return { ok: false, reason, logEnd };
}

function madeAgain({ topic }: Place): ScanResult {
  return { ok: false, reason: `${topic} was deleted and made again while it was read` };
}

function otherRecords({ topic, partition }: Place, position: number): ScanResult {
  const reason = `${topic}/${partition} holds other records before ${position} than were read: a replica without them became its leader`;
  return { ok: false, reason };
}

/** An answer that says: not now, or not here. The connection itself is well. */
class PassingError extends Error {}

async function fetchOne(wire: Wire, part: Omit<FetchPart, "leaderEpoch" | "maxBytes">): Promise<Fetched> {
  const node = await wire.node(leaderOf(wire, part));
  const leaderEpoch = wire.leaderEpochOf(part.topic, part.partition);
  const [fetched] = await node.connectionPool.send(
    fetchRequest(node.versions, [{ ...part, leaderEpoch, maxBytes: scanLimits.maxBytes }], scanLimits),
  );
  if (!fetched) throw new PassingError("the broker throttles this client");
  checkFetched(fetched);
  return fetched;
}

function checkFetched({ errorCode }: Fetched): void {
  if (errorCode === errorCodes.none || errorCode === errorCodes.offsetOutOfRange) return;
  if (isPassing(errorCode)) throw new PassingError(errorName(errorCode));
  throw new Error(errorName(errorCode));
}

export function createTail(openLine: () => Line, settings: ReaderSettings, clock: Clock): LogTail["tail"] {
  return async (topic, from, onRecords, signal) => {
    if (signal.aborted) return { ok: true };
    // A line of its own: its long polls must not hold up scans, and closing it is how an abort takes effect at once.
    const line = openLine();
    signal.addEventListener("abort", line.close, { once: true });
    const name = settings.nameOf(topic);
    const wait = patience(clock, settings.stallMs);
    const positions = new Map<number, number>();
    let begun = false;
    try {
      while (!signal.aborted) {
        let wire: Wire | null = null;
        try {
          wire = await line.wire();
          await findPositions(wire, name, begun ? "start" : from, positions);
          begun = true;
          await pollLeaders(wire, name, positions, (partition, fetched) => {
            wait.progress();
            const { records, nextOffset } = decodeBatches(
              fetched.bytes,
              positions.get(partition)!,
              fetched.aborted,
            );
            positions.set(partition, nextOffset);
            if (records.length > 0 && !signal.aborted) onRecords(logRecords(topic, partition, records));
          });
        } catch (error) {
          if (signal.aborted) break;
          const reason = `${name}: ${reasonOf(error)}`;
          if (wire && !(error instanceof PassingError)) line.drop(wire);
          if (isRefusal(error) || !(await wait.trouble())) return { ok: false, reason };
          if (wire && !wire.closed) await wire.refresh().catch(() => line.drop(wire!));
        }
      }
      return { ok: true };
    } finally {
      signal.removeEventListener("abort", line.close);
      line.close();
    }
  };
}

/** First positions, and those of partitions that came later or whose records were removed under us. */
async function findPositions(
  wire: Wire,
  topic: string,
  from: "start" | "end",
  positions: Map<number, number>,
): Promise<void> {
  const unknown = [];
  for (let partition = 0; partition < wire.partitionCount(topic); partition += 1) {
    if (!positions.has(partition)) unknown.push({ topic, partition });
  }
  if (unknown.length === 0) return;
  for (const { partition, start, end } of await listBounds(wire, unknown, true)) {
    positions.set(partition, from === "end" ? end : start);
  }
}

async function pollLeaders(
  wire: Wire,
  topic: string,
  positions: Map<number, number>,
  onFetched: (partition: number, fetched: Fetched) => void,
): Promise<void> {
  const parts = [...positions].map(([partition, offset]) => ({
    topic,
    topicId: wire.topicId(topic),
    partition,
    offset,
    leaderEpoch: wire.leaderEpochOf(topic, partition),
    lastEpoch: -1,
    maxBytes: tailPartitionBytes,
  }));
  const byLeader = Map.groupBy(parts, (part) => leaderOf(wire, part));
  await Promise.all(
    [...byLeader].map(async ([leader, led]) => {
      const node = await wire.node(leader);
      const answers = await node.connectionPool.send(fetchRequest(node.versions, led, tailLimits));
      for (const fetched of answers) {
        checkFetched(fetched);
        if (fetched.errorCode === errorCodes.offsetOutOfRange) positions.delete(fetched.partition);
        else onFetched(fetched.partition, fetched);
      }
    }),
  );
}
