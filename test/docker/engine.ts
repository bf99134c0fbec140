/** What tests need of a container engine: whether there is one with the images, and the docker command line. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs docker to its end; whatever takes longer than the limit is killed and ends with code null. */
export function docker(args: readonly string[], options: CallOptions = {}): Promise<Ended> {
  const { input = "", environment = {}, timeoutMs = 120_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdin.on("error", () => {}).end(input);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** The standard output of a call that has to succeed. */
export async function dockerText(args: readonly string[], options: CallOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await docker(args, options);
  assert.equal(code, 0, `docker ${args.join(" ")} ended with ${code}: ${stderr || stdout}`);
  return stdout.trim();
}

export type Engine = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export const baseImage = /^FROM (\S+)/m.exec(readFileSync(join(root, "Dockerfile"), "utf8"))![1]!;
const composeText = readFileSync(join(root, "docker-compose.yml"), "utf8");
export const kafkaImage = imageNamed("apache/kafka");
export const prometheusImage = imageNamed("prom/prometheus");

function imageNamed(name: string): string {
  return new RegExp(`image: (${name}:\\S+)`).exec(composeText)![1]!;
}

/** An engine, compose, and the images, pulled if need be. */
export async function findEngine(images: readonly string[]): Promise<Engine> {
  const version = await docker(["version", "--format", "{{.Server.Version}}"]).catch(() => null);
  if (version === null) return { ok: false, reason: "no docker on the PATH" };
  if (version.code !== 0)
    return { ok: false, reason: `no Docker engine answers: ${lastLine(version.stderr)}` };
  const compose = await docker(["compose", "version", "--short"]);
  if (compose.code !== 0) return { ok: false, reason: "Docker has no compose plugin" };
  for (const image of images) {
    if ((await docker(["image", "inspect", image])).code === 0) continue;
    const pulled = await docker(["pull", "-q", image], { timeoutMs: 180_000 });
    if (pulled.code !== 0) {
      const why = lastLine(pulled.stderr);
      return {
        ok: false,
        reason: `Docker answers, but image ${image} is not here and can't be pulled: ${why}`,
      };
    }
  }
  return { ok: true };
}

/** For a suite's `skip` option; with REQUIRE_DOCKER=1 a missing engine is a failure. */
export function skipWithout(engine: Engine): string | false {
  if (engine.ok) return false;
  const required = process.env.REQUIRE_DOCKER === "1";
  assert.ok(!required, `REQUIRE_DOCKER=1, but ${engine.reason}`);
  return engine.reason;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
