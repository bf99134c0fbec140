/**
 * The checked-in compose stack under a name and ports of its own. When this process ends for any reason, a watchdog shell
 * removes everything that has the stack's name.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { type CallOptions, docker, dockerText, type Ended, root } from "./engine.ts";
import type { Target } from "./image.ts";

export interface Stack {
  readonly kafkaPort: number;
  readonly emulatorUrl: string;
  readonly prometheusUrl: string;
  compose(args: readonly string[], options?: CallOptions): Promise<Ended>;
  /** Container ids of a service that run, or that don't any more. */
  containers(service: string): Promise<string[]>;
  /** `docker compose down -v`; then fails if anything is left. */
  down(): Promise<void>;
}

export interface StackOptions {
  readonly images: Readonly<Record<Target, string>>;
  readonly files: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly services?: readonly string[];
}

const startTimeoutMs = 240_000;

const sweep = `
docker ps -aq --filter label=com.docker.compose.project=$1 | xargs -r docker rm -f -v
docker network ls -q --filter label=com.docker.compose.project=$1 | xargs -r docker network rm
docker volume ls -q --filter label=com.docker.compose.project=$1 | xargs -r docker volume rm
`;

export async function startStack(options: StackOptions): Promise<Stack> {
  const project = `registrar-test-${process.pid}-${Date.now().toString(36)}`;
  const [kafkaPort, emulatorPort, prometheusPort] = [await freePort(), await freePort(), await freePort()];
  const servePort = await freePort();
  const environment = {
    REGISTRAR_IMAGE: options.images.product,
    EMULATOR_IMAGE: options.images.emulator,
    KAFKA_PORT: String(kafkaPort),
    EMULATOR_PORT: String(emulatorPort),
    PROMETHEUS_PORT: String(prometheusPort),
    SERVE_PORT: String(servePort),
    ...options.environment,
  };
  const files = ["docker-compose.yml", ...options.files].flatMap((file) => ["-f", file]);
  // A developer's own .env must not change the stack.
  const prefix = [
    "compose",
    "-p",
    project,
    "--env-file",
    "/dev/null",
    ...files,
    "--profile",
    "observability",
  ];
  const compose = (args: readonly string[], call: CallOptions = {}) =>
    docker([...prefix, ...args], { ...call, environment: { ...environment, ...call.environment } });
  const dismiss = guard(project);
  const stack: Stack = {
    kafkaPort,
    emulatorUrl: `http://127.0.0.1:${emulatorPort}`,
    prometheusUrl: `http://127.0.0.1:${prometheusPort}`,
    compose,
    containers: async (service) => {
      const { stdout } = await compose(["ps", "-aq", service]);
      return stdout.split("\n").filter((id) => id !== "");
    },
    async down() {
      try {
        const ended = await compose(["down", "-v", "-t", "5"]);
        assert.equal(ended.code, 0, ended.stderr);
        assert.deepEqual(await remains(project), [], "docker compose down -v left something");
      } finally {
        await sweepNow(project);
        dismiss();
      }
    },
  };
  const up = ["up", "--no-build", "--wait", ...(options.services ?? [])];
  const { code, stderr } = await compose(up, { timeoutMs: startTimeoutMs });
  if (code !== 0) {
    const logs = await compose(["logs", "--no-color", "--tail", "20"]);
    await stack.down();
    assert.fail(`the stack does not start (${code}): ${stderr.slice(-1500)}\n${logs.stdout.slice(-4000)}`);
  }
  return stack;
}

/** Containers, networks and volumes that carry the project's name. */
export async function remains(project: string): Promise<string[]> {
  const filter = ["--filter", `label=com.docker.compose.project=${project}`];
  const kinds = [
    ["ps", "-a", "--format", "{{.Names}}"],
    ["network", "ls", "--format", "{{.Name}}"],
    ["volume", "ls", "--format", "{{.Name}}"],
  ];
  const listed = await Promise.all(kinds.map((kind) => dockerText([...kind, ...filter])));
  return listed.flatMap((text) => text.split("\n")).filter((name) => name !== "");
}

/** Removes what carries the project's name once this process has ended; the returned function calls that off. */
export function guard(project: string): () => void {
  const shell = spawn("sh", ["-c", `cat >/dev/null\n${sweep}`, "guard", project], {
    cwd: root,
    stdio: ["pipe", "ignore", "ignore"],
    // Not in the terminal's process group: Ctrl-C must not end the guard before its time.
    detached: true,
  });
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return () => {
    shell.kill();
    shell.stdin.destroy();
  };
}

export function sweepNow(project: string): Promise<void> {
  return new Promise((resolve) => {
    spawn("sh", ["-c", sweep, "sh", project], { stdio: "ignore" }).on("close", () => resolve());
  });
}

/** Waits for a line of a container's log, past or future; fails after a minute, with the log's end. */
export function logLine(container: string, pattern: RegExp, since: Date): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ["logs", "--follow", "--since", since.toISOString(), container];
    const child = spawn("docker", args, { stdio: ["ignore", "pipe", "pipe"] });
    const seen: string[] = [];
    const end = (finish: () => void) => {
      clearTimeout(timer);
      child.removeAllListeners("close");
      child.kill("SIGKILL");
      finish();
    };
    const miss = () => end(() => reject(new Error(`no line ${pattern} in:\n${seen.slice(-12).join("\n")}`)));
    const timer = setTimeout(miss, 60_000);
    child.on("close", miss);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        if (seen.push(line) > 100) seen.shift();
        if (pattern.test(line)) end(() => resolve(line));
      });
    }
  });
}

export async function inventory(stack: Stack): Promise<{ id: string; machineName: string }[]> {
  const response = await fetch(`${stack.emulatorUrl}/_control/inventory`);
  assert.equal(response.status, 200);
  const byTenant = (await response.json()) as Record<string, { id: string; machineName: string }[]>;
  return Object.values(byTenant).flat();
}

export interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: { readonly value: [number, string] }[] };
}

export async function askPrometheus(stack: Stack, query: string): Promise<Answer> {
  const url = `${stack.prometheusUrl}/api/v1/query?query=${encodeURIComponent(query)}`;
  return (await (await fetch(url)).json()) as Answer;
}

/** One more worker container, for one command; gone when that has ended. */
export function oneOff(stack: Stack, settings: readonly string[], words: readonly string[]) {
  return stack.compose(["run", "--rm", "-T", "--no-deps", ...settings, "registrar", ...words], {
    timeoutMs: 60_000,
  });
}
