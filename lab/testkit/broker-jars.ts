/** Kafka's own jars from Maven. */
import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeArchive } from "./broker-archive.ts";
import { formatStorage } from "./broker-format.ts";
import { keptDirectory } from "./kept-directory.ts";

const run = promisify(execFile);
const pom = join(import.meta.dirname, "kafka-broker", "pom.xml");

export type Jars =
  | { readonly ok: true; readonly directory: string }
  | { readonly ok: false; readonly reason: string };

/** Copied once for each version into a directory that later runs find again. Default: the version that pom.xml names. */
export async function obtainJars(wanted?: string): Promise<Jars> {
  const version = wanted ?? /<kafka\.version>([^<]+)</.exec(await readFile(pom, "utf8"))?.[1];
  const directory = join(keptDirectory(), `registrar-kafka-jars-${version}`);
  const found = await run("java", ["-version"]).then(
    () => true,
    () => false,
  );
  if (!found) return { ok: false, reason: "no java on the PATH" };
  if (await exists(directory)) return withArchive(directory);
  const partial = await mkdtemp(`${directory}-`);
  try {
    await mkdir(partial, { recursive: true });
    const copy = [
      "dependency:copy-dependencies",
      `-DoutputDirectory=${partial}`,
      `-Dkafka.version=${version}`,
    ];
    await run("mvn", ["-q", "-B", "-f", pom, ...copy]);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return { ok: false, reason: missing ? "no mvn on the PATH" : `mvn failed: ${messageOf(error)}` };
  }
  // Two runs may get here at the same time: the first rename wins, the other's copy is removed.
  await rename(partial, directory).catch(() => rm(partial, { recursive: true, force: true }));
  return withArchive(directory);
}

async function withArchive(directory: string): Promise<Jars> {
  await makeArchive(directory, (file) =>
    formatStorage(directory, { clusterId: "AAAAAAAAAAAAAAAAAAAAAA", propertiesFile: file }),
  );
  return { ok: true, directory };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n").slice(0, 3).join(" | ");
}
