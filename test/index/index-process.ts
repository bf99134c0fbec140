/** A process that reads the embedded log of a directory into its index, and prints how many records are left, until it is killed. */
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openEnrollmentIndex } from "../../src/index/open-index.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";

const [dataDir] = process.argv.slice(2) as [string];
const opening = await openEmbeddedLog({ dataDir, partitionCount: 2 }, systemClock);
if (!opening.ok) throw new Error(opening.problem.message);
const opened = openEnrollmentIndex({
  path: join(dataDir, "index.db"),
  log: opening.log,
  clock: systemClock,
  transactionRecords: 500,
  onNote: ({ message }) => process.stdout.write(`note ${message}\n`),
});
if (!opened.ok) throw new Error(opened.problem.message);
let last: number | null = null;
const tell = () => {
  const { behindRecords } = opened.index.progress();
  if (behindRecords !== null && behindRecords !== last) process.stdout.write(`left ${behindRecords}\n`);
  last = behindRecords;
};
setInterval(tell, 1);
await opened.index.follow(new AbortController().signal);
