/** Small trees of test files, and the test runner run on one as a process. */
import { type SpawnOptions, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const runnerFiles = [
  "run-tests.ts",
  "test-files.ts",
  "lanes.ts",
  "options.ts",
  "repetition.ts",
  "processor-time.ts",
  "tally.ts",
  "leak-guard.ts",
  "leftovers.ts",
  "temporary-files.ts",
];
const testkit = join(import.meta.dirname, "../../lab/testkit");
const noBroker = `export const obtainBroker = async () => ({ ok: false, reason: "none here" });\n`;
export const brokerThatTells = `export const obtainBroker = async () => ({
  ok: true, kind: "given", brokers: ["127.0.0.1:1"], stop: async () => console.log("broker stopped"),
});\n`;

export interface Run {
  readonly exitCode: number | null;
  readonly output: string;
  readonly lastLine: string;
}

export async function runTree(
  files: Record<string, string>,
  options: {
    args?: string[];
    env?: Record<string, string>;
    broker?: string;
    interruptAt?: string;
    cwd?: string;
  } = {},
): Promise<Run> {
  const root = await mkdtemp(join(tmpdir(), "run-tests-"));
  try {
    const support = join(root, "test", "support");
    await mkdir(support, { recursive: true });
    for (const name of runnerFiles) await cp(join(import.meta.dirname, name), join(support, name));
    await mkdir(join(root, "lab", "testkit"), { recursive: true });
    await writeFile(join(root, "lab", "testkit", "broker.ts"), options.broker ?? noBroker);
    for (const name of ["built-program.ts", "kept-directory.ts"])
      await cp(join(testkit, name), join(root, "lab", "testkit", name));
    await writeFile(join(root, "package.json"), `{ "type": "module" }`);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, "test", path)), { recursive: true });
      const declares = text === "" || /\b(test|describe)\(/.test(text);
      const start = declares ? `import { describe, it, test, before } from "node:test";\n` : "";
      await writeFile(join(root, "test", path), `${start}${text}\n`);
    }
    // This test's own context would make the inner runner believe that it is a test file.
    const { NODE_TEST_CONTEXT: _context, KAFKA_BROKERS: _brokers, CI: _ci, ...inherited } = process.env;
    const own = Object.entries(inherited).filter(([name]) => !name.startsWith("REQUIRE_"));
    const env = { ...Object.fromEntries(own), ...options.env };
    const { args = [], interruptAt, cwd } = options;
    return await runProcess([join(support, "run-tests.ts"), ...args], { env, cwd }, interruptAt);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Sends SIGINT once the output holds `interruptAt`. */
function runProcess(
  args: string[],
  place: Pick<SpawnOptions, "env" | "cwd">,
  interruptAt: string | undefined,
): Promise<Run> {
  const child = spawn(process.execPath, args, { ...place, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let interrupted = false;
  child.stdout.on("data", (chunk) => {
    output += chunk;
    if (interruptAt === undefined || interrupted || !output.includes(interruptAt)) return;
    interrupted = true;
    child.kill("SIGINT");
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => {
      resolve({ exitCode, output, lastLine: output.trimEnd().split("\n").at(-1) ?? "" });
    });
  });
}

/** The text of a test that passes. */
export const pass = `test("good", () => {});`;
