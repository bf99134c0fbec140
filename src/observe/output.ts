/** Standard output or error, written to without ever waiting for its reader. */
import { constants, fstatSync, openSync, writeSync } from "node:fs";

/** Writes what there is room for; throws EAGAIN where there is none, and what else `writeSync` throws. */
export function nonBlockingOutput(fd: 1 | 2): (bytes: Uint8Array) => number {
  const own = ownDescriptor(fd);
  return (bytes) => writeSync(own, bytes);
}

/**
 * A descriptor that never blocks. Opened a second time where the system allows that, because the flag of the first one is
 * shared with every process that was given it. Not so a file: a second opening would begin at its start.
 */
function ownDescriptor(fd: 1 | 2): number {
  const stats = fstatSync(fd);
  if (stats.isFile()) return fd;
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A socket, another user's pipe, or no /proc. Node's own stream makes a pipe or socket non-blocking when it is made.
    void (fd === 1 ? process.stdout : process.stderr).writable;
    return fd;
  }
}
