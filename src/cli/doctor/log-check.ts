/** What `doctor` finds out about the log. Reads only: nothing is created. */
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { openLog } from "../../compose.ts";
import type { Settings } from "../../config/table.ts";
import type { Clock } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import { type Finding, note, ok, warning, wrong } from "./finding.ts";
import { spaceFindings } from "./space-check.ts";

export async function checkLog(settings: Settings, clock: Clock): Promise<Finding[]> {
  const place =
    settings.kafkaBrokers === null
      ? `the embedded log in ${settings.dataDir}`
      : `Kafka at ${settings.kafkaBrokers.join(",")}`;
  if (settings.kafkaBrokers === null && !existsSync(settings.dataDir))
    return [note("log", `${place} is not there yet, start or emit creates it`)];
  const opening = await openLog({ ...settings, topicsCreate: false }, clock, {
    onEvent: () => {},
    purpose: "work",
  });
  if (opening.ok) {
    await opening.log.close();
    const text = `${place}: topics with ${opening.log.partitionCount} partitions and the right settings`;
    return [ok("log", text), ...(opening.warnings ?? []).map(findingOf), ...(await checkSpace(settings))];
  }
  if (settings.topicsCreate && opening.problem.code === "topics-missing")
    return [note("log", `${place} answers; the topics are not there yet, start or emit creates them`)];
  const { message, fix } = opening.problem;
  return [wrong("log", { text: message, fix, retryable: opening.retryable })];
}

async function checkSpace({ kafkaBrokers, dataDir }: Settings): Promise<Finding[]> {
  if (kafkaBrokers !== null) return [];
  const { bavail, bsize } = await statfs(dataDir);
  return spaceFindings(bavail * bsize, dataDir);
}

/** `start` continues without a right until the first request that needs it. */
function findingOf({ code, message, fix }: Problem): Finding {
  if (code === "rights-missing") return wrong("log", { text: message, fix, retryable: false });
  return warning("log", message, fix);
}
