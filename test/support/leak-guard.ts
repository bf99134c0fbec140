/**
 * Loaded into each test file's process before the file itself: a file whose tests have ended but which doesn't exit
 * holds something open (a server, a child process, a timer). It would hang the run; here it fails and says what.
 */
import { recordAtEnd } from "./processor-time.ts";

const graceMs = 3_000;

// Processes that a test forks inherit the preload; only the test file itself is watched.
const file = process.argv[1];
if (file !== undefined && /\.test\.(ts|mjs)$/.test(file)) {
  recordAtEnd(file);
  const { after } = await import("node:test");
  after(() => {
    const giveUp = (): void => {
      const open = process.getActiveResourcesInfo().join(", ");
      console.error(`${file} does not exit although its tests have ended; still open: ${open}`);
      process.exit(1);
    };
    setTimeout(giveUp, graceMs).unref();
  });
}
