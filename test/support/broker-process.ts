/**
 * One broker as a Java process. A shell stands guard: when this process ends for any reason, the shell's standard input
 * closes, and it kills the broker, also a frozen one, and removes its data.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const startTimeoutMs = 120_000;

export interface BrokerProcess {
  readonly pid: number;
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

const guard = `
exec 3<&0
java -Xms128m -Xmx"$3" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.logFile=System.out \
  -Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
  -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
  -cp "$1/*" kafka.Kafka "$2/server.properties" </dev/null &
broker=$!
echo "pid $broker"
(cat <&3 >/dev/null; trap "" TERM; kill -9 $broker; rm -rf "$2") >/dev/null 2>&1 &
watch=$!
wait $broker
kill $watch
`;

/**
 * Starts the broker of this data directory; resolves once it serves.
 * @param onLine is given what it says.
 */
export async function launchBroker(
  jars: string,
  directory: string,
  heap: string,
  onLine: (line: string) => void = () => {},
): Promise<BrokerProcess> {
  const shell = spawn("sh", ["-c", guard, "guard", jars, directory, heap], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  // The guard must not keep a test's process alive: when that ends, so does the pipe.
  const output = shell.stdout;
  const exited = new Promise<void>((resolve) => shell.once("exit", () => resolve()));
  const pid = await started(shell, onLine);
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  (output as unknown as { unref(): void }).unref();
  return {
    pid,
    end: async (signal) => {
      shell.ref();
      if (shell.exitCode === null) process.kill(pid, signal);
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
