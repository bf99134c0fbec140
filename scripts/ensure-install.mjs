/**
 * Runs before each npm script of this package, so that a fresh clone needs no set-up: a clean `npm ci` when what is
 * installed is not what package-lock.json asks for. Installed and asked for are compared by content (npm keeps its
 * own lockfile in node_modules), because file times mean nothing after a clone, a checkout or a copy.
 *
 * Runs on the machine's own Node (20 or newer) and before anything is installed: plain JavaScript, built-ins only.
 * Says everything on stderr; stdout belongs to the command that follows.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const minimumNode = 20;
/** From this one on Node runs the sources as they are; below it the `node` package has to bring one along. */
const sourceNode = 24;
const machineNode = Number(process.versions.node.split(".")[0]);

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

/** Runs `npm ci` with its output on stderr; true: it succeeded. */
function install(root) {
  // npm ci deletes node_modules first, so neither npm nor the install scripts may run on the Node inside it.
  const path = (process.env.PATH ?? "").split(delimiter);
  const outside = path.filter((folder) => !folder.includes(`${sep}node_modules${sep}.bin`));
  const env = { ...process.env, PATH: outside.join(delimiter), npm_config_loglevel: "error" };
  const npmCli = process.env.npm_execpath;
  const isNpm = npmCli?.endsWith("npm-cli.js") === true && existsSync(npmCli);
  // NODE_ENV=production and --omit would leave out the Node that runs the sources.
  const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  const [command, commandArgs] = isNpm ? ["node", [npmCli, ...args]] : ["npm", args];
  const result = spawnSync(command, commandArgs, {
    cwd: root,
    env,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32" && !isNpm,
  });
  return result.status === 0;
}

function main() {
  const root = join(fileURLToPath(import.meta.url), "..", "..");
  if (machineNode < minimumNode) {
    console.error(
      `This is Node ${process.versions.node}. Install Node ${minimumNode} or newer and repeat the command.`,
    );
    return 2;
  }
  const reason = reasonToInstall(root);
  if (reason === null) return 0;
  const startedMs = performance.now();
  console.error(`Installing dependencies with npm ci: ${reason}.`);
  if (!install(root)) {
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

process.exitCode = main();
