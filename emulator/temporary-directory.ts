/**
 * The directory of a CA that ends with its emulator. A process that is killed can't remove it: the next emulator on the machine does.
 * The host in the name tells the processes of containers apart that share the directory.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

export async function makeTemporaryDirectory(): Promise<string> {
  const parent = tmpdir();
  const prefix = `graph-emulator-${hostname()}-`;
  const abandoned = (await readdir(parent)).filter(
    (name) => name.startsWith(prefix) && isAbandoned(name, prefix),
  );
  for (const name of abandoned)
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => {}); // another user's
  return mkdtemp(join(parent, `${prefix}${process.pid}-`));
}

function isAbandoned(name: string, prefix: string): boolean {
  const pid = /^(\d+)-\w+$/.exec(name.slice(prefix.length))?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
