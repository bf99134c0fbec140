/**
 * Two hosts on one machine: Linux network namespaces, joined by a link that can be cut. What the client's host sends
 * over a cut link is dropped without a word, as by a failing network; the kernels' timers continue.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface TwoHosts {
  readonly serverAddress: string;
  /** A TypeScript file, run by Node on one of the hosts, with a channel for messages. Ended by `remove`. */
  start(host: "client" | "server", file: string, argument: unknown): ChildProcess;
  cut(): Promise<void>;
  join(): Promise<void>;
  /** Bytes that the host's kernel still wants to deliver over TCP, from any process. */
  unsentBytes(host: "client" | "server"): Promise<number>;
  /** Ends the processes and takes the namespaces away. */
  remove(): Promise<void>;
}

export type TwoHostsResult = { readonly ok: true; readonly hosts: TwoHosts } | NoHosts;
interface NoHosts {
  readonly ok: false;
  readonly reason: string;
}

/** Of the addresses that are set aside for tests of networks (RFC 2544). */
const clientAddress = "198.18.77.1";
const serverAddress = "198.18.77.2";

const serverCard = "02:00:00:00:77:02";
const otherCard = "02:00:00:00:77:99";

export async function makeTwoHosts(): Promise<TwoHostsResult> {
  if (process.platform !== "linux") return { ok: false, reason: "this is not Linux" };
  if (process.getuid?.() !== 0) return { ok: false, reason: "this is not root" };
  await removeStale();
  const suffix = `${process.pid}-${randomBytes(2).toString("hex")}`;
  const names = { client: `crc-${suffix}`, server: `crs-${suffix}` };
  const children: ChildProcess[] = [];
  const inside = (host: keyof typeof names, ...command: string[]) =>
    run("ip", ["netns", "exec", names[host], ...command]);
  const remove = async (): Promise<void> => {
    await Promise.all(children.map(end));
    for (const name of Object.values(names)) await run("ip", ["netns", "del", name]).catch(() => {});
  };
  try {
    await run("ip", ["netns", "add", names.client]);
    await run("ip", ["netns", "add", names.server]);
    const link = ["link", "add", "toserver", "netns", names.client, "type", "veth"];
    await run("ip", [...link, "peer", "name", "toclient", "address", serverCard, "netns", names.server]);
    await inside("client", "ip", "addr", "add", `${clientAddress}/24`, "dev", "toserver");
    await inside("server", "ip", "addr", "add", `${serverAddress}/24`, "dev", "toclient");
    await inside("client", "ip", "link", "set", "toserver", "up");
    await inside("server", "ip", "link", "set", "toclient", "up");
    // Known for good: a kernel that must first ask for the card's address keeps packets back till it is answered.
    const known = [serverAddress, "lladdr", serverCard, "dev", "toserver", "nud", "permanent"];
    await inside("client", "ip", "neigh", "replace", ...known);
  } catch (error) {
    await remove();
    return { ok: false, reason: (error as Error).message.trim().split("\n").at(-1)! };
  }
  const hosts: TwoHosts = {
    serverAddress,
    start: (host, file, argument) => {
      const command = ["netns", "exec", names[host], process.execPath, file, JSON.stringify(argument)];
      const child = spawn("ip", command, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      children.push(child);
      return child;
    },
    // Frames for a card that is no longer there are dropped.
    cut: async () => void (await inside("server", "ip", "link", "set", "toclient", "address", otherCard)),
    join: async () => void (await inside("server", "ip", "link", "set", "toclient", "address", serverCard)),
    unsentBytes: async (host) => {
      const { stdout } = await inside(host, "cat", "/proc/net/tcp");
      return stdout
        .trim()
        .split("\n")
        .slice(1)
        .reduce((sum, line) => sum + unsentIn(line), 0);
    },
    remove,
  };
  return { ok: true, hosts };
}

/** Namespaces of test processes that were killed: their names hold the process id. */
async function removeStale(): Promise<void> {
  const { stdout } = await run("ip", ["netns", "list"]).catch(() => ({ stdout: "" }));
  for (const [name, pid] of stdout.matchAll(/^cr[cs]-(\d+)-[0-9a-f]{4}\b/gm)) {
    if (!isAlive(Number(pid))) await run("ip", ["netns", "del", name]).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** For a suite's `skip` option; with REQUIRE_NETNS=1 missing namespaces are a failure. */
export function skipWithout(made: { readonly ok: true } | NoHosts): string | false {
  if (made.ok) return false;
  assert.notEqual(
    process.env.REQUIRE_NETNS,
    "1",
    `REQUIRE_NETNS=1, but there are no network namespaces: ${made.reason}`,
  );
  return `no network namespaces (netns): ${made.reason}`;
}

/** The fifth column is "sent and unacknowledged:received and unread", in hexadecimal; a listener's counts clients. */
function unsentIn(line: string): number {
  const [, , , state, queues = ""] = line.trim().split(/\s+/);
  return state === "0A" ? 0 : Number.parseInt(queues.split(":")[0]!, 16);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
