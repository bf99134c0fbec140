/**
 * Runs before each npm script of this package, so that a fresh clone needs no set-up: a clean `npm ci` when what is
 * installed is not what package-lock.json asks for. Installed and asked for are compared by content (npm keeps its
 * own lockfile in node_modules), because file times mean nothing after a clone, a checkout or a copy.
 *
 * Two commands at the same time on a fresh clone install once: npm ci runs under a lock, and the one that waited checks again afterwards.
 * A signal (Ctrl-C) is passed to npm ci, which removes what it began; this process, and with it the lock, lasts until npm ci has ended.
 * Otherwise the next command would install into the same directory at the same time.
 *
 * Runs on the machine's own Node (20 or newer) and before anything is installed: plain JavaScript, built-ins only.
 * Says everything on stderr; stdout belongs to the command that follows.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { delimiter, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const minimumNode = 20;
/** From this one on Node runs the sources as they are; below it the `node` package has to bring one along. */
const sourceNode = 24;
const machineNode = Number(process.versions.node.split(".")[0]);

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"];

const lockPollMs = 200;
/** An installation that takes longer than this hangs, or its machine is gone. */
const lockMaxMs = Number(process.env.ENSURE_INSTALL_LOCK_MS ?? 10 * 60_000);

/** Why an installation is needed, as one clause; null: all is in place. */
function reasonToInstall(root) {
  const installedPath = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installedPath)) return "node_modules is missing or incomplete";
  const wanted = packagesOf(join(root, "package-lock.json"));
  const installed = packagesOf(installedPath);
  if (installed === null) return "node_modules/.package-lock.json can't be read";
  if (wanted === null) return "package-lock.json can't be read";
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = installed[path];
    if (found === undefined) {
      if (entry.optional || entry.devOptional) continue;
      return `node_modules is older than package-lock.json: ${path} is missing`;
    }
    if (found.version !== entry.version || found.integrity !== entry.integrity) {
      return `node_modules is older than package-lock.json: ${path} is ${found.version}, not ${entry.version}`;
    }
  }
  const extra = Object.keys(installed).find((path) => wanted[path] === undefined);
  if (extra !== undefined)
    return `node_modules is older than package-lock.json: ${extra} is no longer wanted`;
  return lacksSourceNode(root) ? `Node ${sourceNode} is missing from node_modules` : null;
}

function lacksSourceNode(root) {
  const binary = join(
    root,
    "node_modules",
    "node",
    "bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  return machineNode < sourceNode && !existsSync(binary);
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages ?? null;
  } catch {
    return null;
  }
}

/** Runs `npm ci` with its output on stderr. The exit code, or the signal that ended it or this process. */
async function install(root) {
  // npm ci deletes node_modules first, so neither npm nor the install scripts may run on the Node inside it.
  const path = (process.env.PATH ?? "").split(delimiter);
  const outside = path.filter((folder) => !folder.includes(`${sep}node_modules${sep}.bin`));
  const env = { ...process.env, PATH: outside.join(delimiter), npm_config_loglevel: "error" };
  const npmCli = process.env.npm_execpath;
  const isNpm = npmCli?.endsWith("npm-cli.js") === true && existsSync(npmCli);
  // NODE_ENV=production and --omit would leave out the Node that runs the sources.
  const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  const [command, commandArgs] = isNpm ? ["node", [npmCli, ...args]] : ["npm", args];
  let interruptedBy = null;
  let child;
  // Before npm ci begins: a signal that found no handler would end this process, and npm ci would go on without the lock.
  for (const signal of endingSignals)
    process.on(signal, () => {
      if (interruptedBy === null) console.error("Stopping npm ci, which first removes what it began.");
      interruptedBy = signal;
      // A terminal sends Ctrl-C to npm ci too, and a second signal would end it before it has removed anything.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  child = spawn(command, commandArgs, {
    cwd: root,
    env,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32" && !isNpm,
  });
  return await new Promise((resolve) => {
    child.on("error", () => resolve({ code: 1, signal: interruptedBy }));
    child.on("close", (code, signal) => resolve({ code, signal: interruptedBy ?? signal }));
  });
}

/** Not in node_modules, which npm ci deletes. */
function lockPath(root) {
  return join(root, ".ensure-install.lock");
}

/** Waits for another installation to end. False: it did not, within the limit. */
function acquire(root) {
  const path = lockPath(root);
  const deadlineMs = performance.now() + lockMaxMs;
  let told = false;
  for (;;) {
    try {
      mkdirSync(path);
      writeFileSync(join(path, "owner"), JSON.stringify({ pid: process.pid, host: hostname() }));
      return true;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (removeIfStale(path)) continue;
    if (performance.now() > deadlineMs) return false;
    if (!told) console.error("Another command is installing the dependencies; waiting for it.");
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPollMs);
  }
}

/** A lock is stale when its process is gone; of another machine's, or a half-written one, its age has to tell. */
function removeIfStale(path) {
  const owner = readOwner(path);
  if (owner !== null && owner.host === hostname() ? isAlive(owner.pid) : ageMs(path) < lockMaxMs)
    return false;
  // Renamed first: of two that find it stale only one gets it. One that was taken meanwhile is given back.
  const aside = `${path}-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return true;
  }
  if (JSON.stringify(readOwner(aside)) !== JSON.stringify(owner)) renameSync(aside, path);
  else rmSync(aside, { recursive: true, force: true });
  return true;
}

function readOwner(path) {
  try {
    return JSON.parse(readFileSync(join(path, "owner"), "utf8"));
  } catch {
    return null;
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function main() {
  const root = join(fileURLToPath(import.meta.url), "..", "..");
  if (machineNode < minimumNode) {
    console.error(
      `This is Node ${process.versions.node}. Install Node ${minimumNode} or newer and repeat the command.`,
    );
    return 2;
  }
  if (reasonToInstall(root) === null) return 0;
  if (!acquire(root)) {
    console.error(
      `Another command has been installing the dependencies for ${Math.round(lockMaxMs / 1000)} s. ` +
        `If none is running, type: rm -r ${lockPath(root)} (then repeat the command)`,
    );
    return 1;
  }
  try {
    const reason = reasonToInstall(root);
    return reason === null ? 0 : await installFor(reason, root);
  } finally {
    rmSync(lockPath(root), { recursive: true, force: true });
  }
}

async function installFor(reason, root) {
  const startedMs = performance.now();
  console.error(`Installing dependencies with npm ci: ${reason}.`);
  const { code, signal } = await install(root);
  if (signal !== null) {
    console.error("npm ci was stopped, so nothing was started. Type the command again to install.");
    return 130;
  }
  if (code !== 0) {
    console.error(
      "npm ci failed (its messages are above), so nothing was started. " +
        `Check with "npm ping" that the npm registry can be reached, then type: cd ${root} && npm ci`,
    );
    return 1;
  }
  if (lacksSourceNode(root)) {
    console.error(
      `npm ci did not install Node ${sourceNode}: install scripts are turned off. ` +
        `Type: cd ${root} && npm ci --ignore-scripts=false (or install Node ${sourceNode} yourself)`,
    );
    return 1;
  }
  console.error(`Dependencies installed in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
  return 0;
}

process.exitCode = await main();
