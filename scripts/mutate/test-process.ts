/** One process that runs test files with mutations in place; a new one when it was ended, or has served its time. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Job, JobResult } from "./test-server.ts";

export type Ran = JobResult | { readonly ended: string };

export interface TestProcess {
  run(job: Job): Promise<Ran>;
  close(): void;
}

/** Only for what waits for real and never ends: far more than any run takes, however busy the machine is. */
const wallMinMs = 300_000;
const wallMsPerCpuSecond = 60_000;
/** Modules that were loaded stay in memory. */
const jobsPerProcess = 60;
const overTime = "it went on and on";

/** `scratch`: a directory for what processes share. */
export function createTestProcess(scratch: string): TestProcess {
  let child: ChildProcess | null = null;
  let jobs = 0;

  return {
    async run(job) {
      const answer = await askOnce(job);
      // Ended for another reason than time: perhaps the machine's (memory), not the mutant's.
      return "ended" in answer && answer.ended !== overTime ? askOnce(job) : answer;
    },
    close,
  };

  async function askOnce(job: Job): Promise<Ran> {
    if (jobs >= jobsPerProcess) close();
    child ??= start();
    jobs++;
    const answer = await ask(child, job);
    if ("ended" in answer || answer.isSpent) close();
    return answer;
  }

  function start(): ChildProcess {
    jobs = 0;
    const env: NodeJS.ProcessEnv = { ...process.env, NODE_COMPILE_CACHE: join(scratch, "compiled") };
    return fork(join(import.meta.dirname, "test-server.ts"), {
      env,
      execArgv: ["--no-warnings", "--max-old-space-size=2048"],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
  }

  function close(): void {
    child?.kill("SIGKILL");
    child = null;
  }
}

function ask(child: ChildProcess, job: Job): Promise<Ran> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => child.kill("SIGKILL"),
      Math.max(wallMinMs, job.cpuMaxSeconds * wallMsPerCpuSecond),
    );
    const done = (ran: Ran): void => {
      clearTimeout(timer);
      child.off("message", onMessage).off("exit", onExit);
      resolve(ran);
    };
    const onMessage = (result: unknown): void => done(result as JobResult);
    const onExit = (code: number | null, signal: string | null): void =>
      done({ ended: signal === "SIGXCPU" ? overTime : `its process ended with ${signal ?? code}` });
    child.on("message", onMessage).on("exit", onExit);
    child.send(job);
  });
}
