/**
 * One broker as a Java process, with a watchdog shell: when this process ends for any reason, the shell's standard input
 * closes, and it kills the broker, also a frozen one, and removes its data.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { javaOptions, sharing } from "./broker-archive.ts";

const startTimeoutMs = 240_000;

export interface BrokerProcess {
  /** Once it serves; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Freezes or resumes it. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Resolves once it is gone. Before it serves it is always killed, and its data removed. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

const guard = `
exec 3<&0
jars=$1 directory=$2 heap=$3
shift 3
java -Xms128m -Xmx"$heap" "$@" \
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.logFile=System.out \
  -Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
  -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
  -cp "$jars/*" kafka.Kafka "$directory/server.properties" </dev/null &
broker=$!
echo "pid $broker"
(cat <&3 >/dev/null; trap "" TERM; kill -9 $broker; rm -rf "$directory") >/dev/null 2>&1 &
watch=$!
wait $broker
kill $watch
`;

/** What a broker is started from. */
export interface BrokerFiles {
  /** The directory of Kafka's jars. */
  readonly jars: string;
  /** Where its data and its server.properties are. */
  readonly directory: string;
  /** As Java takes it. */
  readonly heap: string;
}

/** Starts the broker of this data directory. @param onLine is given what it says. */
export function launchBroker(
  { jars, directory, heap }: BrokerFiles,
  onLine: (line: string) => void = () => {},
): BrokerProcess {
  const shell = spawn("sh", ["-c", guard, "guard", jars, directory, heap, ...javaOptions, ...sharing(jars)], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const exited = new Promise<void>((resolve) => shell.once("exit", () => resolve()));
  let pid: number | null = null;
  const ready = started(shell, onLine).then((found) => {
    pid = found;
    // The guard must not keep a test's process alive: when that ends, so does the pipe.
    shell.unref();
    for (const pipe of [shell.stdin, shell.stdout]) (pipe as unknown as { unref(): void }).unref();
  });
  ready.catch(() => {});
  const tell = (signal: NodeJS.Signals) => {
    try {
      if (pid !== null && shell.exitCode === null) process.kill(pid, signal);
    } catch {
      // It has just ended, and its guard not yet.
    }
  };
  return {
    ready,
    signal: tell,
    end: async (signal) => {
      shell.ref();
      if (pid === null) shell.stdin.destroy();
      else tell(signal);
      await exited;
      shell.stdin.destroy();
    },
  };
}

/** The broker's process id, once it says that it serves. */
function started(shell: ChildProcess, onLine: (line: string) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let pid = 0;
    const lines: string[] = [];
    const timer = setTimeout(() => fail(`no "started" within ${startTimeoutMs} ms`), startTimeoutMs);
    const fail = (why: string) => {
      clearTimeout(timer);
      shell.stdin?.destroy();
      reject(new Error([why, ...lines.slice(-5)].join(" | ")));
    };
    shell.once("exit", (code) => fail(`it ended with code ${code}`));
    createInterface({ input: shell.stdout! }).on("line", (line) => {
      onLine(line);
      if (lines.push(line) > 50) lines.shift();
      if (line.startsWith("pid ")) pid = Number(line.slice(4));
      if (!line.includes("Kafka Server started")) return;
      clearTimeout(timer);
      resolve(pid);
    });
  });
}
