/**
 * The thread in which the index of a process that serves is read. It has a log of its own, since records would have to be copied from
 * another thread's. Who starts it imports this module for its address: in a bundle too that is a file by itself.
 */
import { setPriority } from "node:os";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { openLogWithRetry } from "../compose.ts";
import type { Settings } from "../config/table.ts";
import type { FromReader, ToReader, WaitersCount } from "../index/messages.ts";
import { createThreadSide, type ThreadSide } from "../index/thread-side.ts";

export interface IndexThreadData {
  readonly role: "index";
  readonly settings: Settings;
  readonly path: string;
  readonly waiters: WaitersCount;
}

/** While the processors are busy, taking events in comes first. */
const niceness = 5;

export const indexThreadUrl = import.meta.url;

async function run({ settings, path, waiters }: IndexThreadData): Promise<void> {
  const tell = (message: FromReader) => parentPort?.postMessage(message);
  // On Linux the calling thread's alone, elsewhere the whole process's.
  if (process.platform === "linux") setPriority(0, niceness);
  const stopped = new AbortController();
  let side: ThreadSide | null = null;
  parentPort?.on("message", (message: ToReader) => {
    if (message.kind === "stop") stopped.abort();
    if (side !== null) side.hear(message);
    else if (message.kind === "hold") tell({ kind: "not-held", reason: "The index is not open yet." });
  });
  const opening = await openLogWithRetry(
    settings,
    { clock: systemClock, onRetry: (problem) => tell({ kind: "problem", problem }) },
    stopped.signal,
  );
  if (opening?.ok) {
    side = createThreadSide({ path, log: opening.log, clock: systemClock, waiters, tell });
    if (!stopped.signal.aborted) await side.run();
    await opening.log.close();
  } else if (opening !== null) tell({ kind: "problem", problem: opening.problem });
  parentPort?.close();
}

if (!isMainThread && (workerData as Partial<IndexThreadData> | null)?.role === "index")
  await run(workerData as IndexThreadData);
