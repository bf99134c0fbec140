/**
 * The part of README.md that is typed into several terminals, in the order printed. Each block runs in a shell of its own,
 * so that what one exports is not there in another. The directory looks like a clone, and has a `data` of its own.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { testedBlocks } from "./support/doc-commands.ts";
import {
  checkBlock,
  type Place,
  plainShell,
  type RunningScript,
  readersEnvironment,
} from "./support/doc-script.ts";

const root = join(import.meta.dirname, "..");
const blocks = testedBlocks("README.md", readFileSync(join(root, "README.md"), "utf8"), "terminal");
/** The default ports of the emulator and the service, as in README.md. */
const ports = [8443, 8090];
const hasOwnNetwork =
  process.platform === "linux" && process.getuid?.() === 0 && spawnSync("ip", ["-V"]).status === 0;

/** Without a network of their own the terminals' port may be taken by something else. */
const skip =
  hasOwnNetwork || (await Promise.all(ports.map(isFree))).every(Boolean)
    ? false
    : `one of the ports ${ports.join(" and ")} is taken, and no other network namespace is available`;

suite("README.md, by hand in several terminals", { skip, timeout: 180_000 }, () => {
  const running: RunningScript[] = [];
  const network = `docs-${process.pid}`;
  let place: Place;

  before(() => {
    const cwd = mkdtempSync(join(tmpdir(), "connector-registrar-docs-"));
    const rooms = ["src", "emulator", "demo", "lab", "scripts"];
    for (const name of ["node_modules", "package.json", "package-lock.json", ...rooms]) {
      symlinkSync(join(root, name), join(cwd, name));
    }
    const inside = ["ip", "netns", "exec", network] as const;
    place = {
      cwd,
      env: readersEnvironment(),
      shell: hasOwnNetwork ? [...inside, ...plainShell] : plainShell,
    };
    if (!hasOwnNetwork) return;
    execFileSync("ip", ["netns", "add", network]);
    execFileSync("ip", ["netns", "exec", network, "ip", "link", "set", "lo", "up"]);
  });

  after(async () => {
    for (const script of running.reverse()) await script.stop();
    if (hasOwnNetwork) execFileSync("ip", ["netns", "del", network]);
    rmSync(place.cwd, { recursive: true, force: true });
  });

  for (const block of blocks) {
    test(`terminal ${block.run.name}: ${block.script.split("\n").at(-1)}`, { timeout: 90_000 }, async () => {
      const goesOn = await checkBlock(block, place);
      if (goesOn !== null) running.push(goesOn);
    });
  }

  test("there are three terminals", () => {
    const names = blocks.map(({ run }) => run.name);
    if (names.join() !== "1,2,3") throw new Error(`README.md has the terminals ${names.join()}`);
  });
});

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
