/** The index of one run of `audit`, built from the topics; a long build says on a terminal where it is. */
import { systemClock } from "../../clock.ts";
import type { OpenLog } from "../../compose.ts";
import type { HoldableIndex } from "../../index/enrollment-index.ts";
import type { Topic } from "../../ports.ts";
import { fail, say } from "../terminal.ts";

export interface AuditPlace {
  readonly log: OpenLog;
  /** Of a file that is there for this run only. */
  readonly indexPath: string;
  readonly signal: AbortSignal;
}

const progressEveryMs = 1000;

/** Hands over the index once it has read all there is, or up to `ends`. What goes wrong is said. */
export async function withIndex(
  { log, indexPath, signal }: AuditPlace,
  ends: Readonly<Record<Topic, readonly number[]>> | undefined,
  run: (index: HoldableIndex) => Promise<void>,
): Promise<void> {
  const { openAuditIndex } = await import("../../compose/audit-index.ts");
  const opening = openAuditIndex({
    path: indexPath,
    log,
    clock: systemClock,
    ...(ends === undefined ? {} : { ends }),
  });
  if (!opening.ok) return fail(opening.problem);
  const { index } = opening;
  const endProgress = showProgress(index);
  let isRead = false;
  try {
    isRead = await index.catchUp(signal);
  } finally {
    endProgress();
  }
  try {
    if (isRead) await run(index);
    else if (!signal.aborted) {
      fail({
        code: "log",
        message: `The topics can't be read: ${index.progress().trouble ?? "they change while they are read"}.`,
        fix: "Check that the log is reachable and the disk has room, then type audit again.",
      });
    }
  } finally {
    index.close();
  }
}

/** On a terminal only, in one line that is removed at the end. */
function showProgress(index: HoldableIndex): () => void {
  if (!process.stderr.isTTY) return () => {};
  let cancel = systemClock.after(progressEveryMs, tell);
  let isShown = false;
  function tell(): void {
    const { behindRecords } = index.progress();
    if (behindRecords !== null)
      say(`\r\u001b[Kreading the topics: ${behindRecords.toLocaleString("en")} records left`);
    isShown ||= behindRecords !== null;
    cancel = systemClock.after(progressEveryMs, tell);
  }
  return () => {
    cancel();
    if (isShown) say("\r\u001b[K");
  };
}
