/**
 * An archive of the classes that a broker loads, read and checked before (Java's class data sharing): with it a broker
 * starts in half of the processor time. It is made once for each copy of Kafka's jars, by a broker that starts and stops.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "./broker-port.ts";

/** An archive that was made with others can't be used. */
export const javaOptions = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"] as const;
/** It starts and stops; what takes longer hangs. */
const limitMs = 240_000;

const archiveIn = (jars: string): string => join(jars, "classes.jsa");

/** Java's options for the archive, where there is one. A Java that can't use it starts without it. */
export function sharing(jars: string): string[] {
  const archive = archiveIn(jars);
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`, "-Xlog:cds=off"] : [];
}

/**
 * Makes the archive unless it is there. A failure is none: brokers take longer to start.
 * @param format the data directory that a properties file names.
 */
export async function makeArchive(
  jars: string,
  format: (propertiesFile: string) => Promise<void>,
): Promise<void> {
  if (existsSync(archiveIn(jars))) return;
  const directory = await mkdtemp(join(tmpdir(), "registrar-kafka-archive-"));
  try {
    const file = join(directory, "server.properties");
    await writeFile(file, properties(directory, await freePort(), await freePort()));
    await format(file);
    // Two may get here at the same time: each makes its own, and the last rename counts.
    const partial = join(directory, "classes.jsa");
    await startAndStop(["-Xmx400m", ...javaOptions, `-XX:ArchiveClassesAtExit=${partial}`], jars, file);
    await rename(partial, archiveIn(jars));
  } catch {
    // See above.
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function properties(directory: string, port: number, controllerPort: number): string {
  return `node.id=1
process.roles=broker,controller
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${join(directory, "data")}
`;
}

function startAndStop(options: readonly string[], jars: string, propertiesFile: string): Promise<void> {
  const log = ["-Dorg.slf4j.simpleLogger.logFile=System.out"];
  const broker = spawn("java", [...options, ...log, "-cp", join(jars, "*"), "kafka.Kafka", propertiesFile], {
    stdio: ["ignore", "pipe", "ignore"],
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  createInterface({ input: broker.stdout }).on("line", (line) => {
    if (line.includes("Kafka Server started")) broker.kill("SIGTERM");
  });
  return new Promise((resolve, reject) => {
    broker.once("error", reject);
    broker.once("exit", () => resolve());
  });
}
