/**
 * The set-up of a broker's data directory. Kafka's own tool makes it, in a Java process of its own; what it wrote is kept beside
 * the jars, and copied for each further broker under ids of its own.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { javaOptions, sharing } from "./broker-archive.ts";

const run = promisify(execFile);
/** All that the tool writes. The other file tells which form the records of the cluster's own topic have. */
const identity = "meta.properties";

/** An id as Kafka writes them. None begins like an option. */
export function newClusterId(): string {
  return randomBytes(16).toString("base64url").replace(/^-/, "A");
}

export interface StorageFormat {
  readonly clusterId: string;
  /** Names the data directory. */
  readonly propertiesFile: string;
  /** As StorageTool takes them. Default: none. */
  readonly scramUsers?: readonly string[];
}

/** Formats the data directory that the properties name. */
export async function formatStorage(
  jars: string,
  { clusterId, propertiesFile, scramUsers = [] }: StorageFormat,
): Promise<void> {
  const properties = await readFile(propertiesFile, "utf8");
  const directory = propertyOf(properties, "log.dirs");
  const kept = join(jars, "format");
  if (scramUsers.length === 0) {
    const text = await readFile(join(kept, identity), "utf8").catch(() => null);
    if (text !== null) {
      await cp(kept, directory, { recursive: true });
      const ids = { "cluster.id": clusterId, "node.id": propertyOf(properties, "node.id") };
      await writeFile(join(directory, identity), withIds(text, { ...ids, "directory.id": newClusterId() }));
      return;
    }
  }
  await run("java", [
    ...["-Xmx64m", ...javaOptions, ...sharing(jars), "-cp", join(jars, "*")],
    ...["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", propertiesFile],
    ...scramUsers.flatMap((user) => ["--add-scram", user]),
  ]);
  if (scramUsers.length === 0) await keep(directory, kept);
}

/** Two may get here at the same time: the first rename wins, the other's copy is removed. */
async function keep(directory: string, kept: string): Promise<void> {
  const partial = await mkdtemp(`${kept}-`);
  await cp(directory, partial, { recursive: true });
  await rename(partial, kept).catch(() => rm(partial, { recursive: true, force: true }));
}

/** An older Kafka's directories have no id: what the text lacks is left out. */
function withIds(text: string, ids: Readonly<Record<string, string>>): string {
  return Object.entries(ids).reduce(
    (all, [name, id]) => all.replace(new RegExp(`^${name}=.*$`, "m"), `${name}=${id}`),
    text,
  );
}

function propertyOf(properties: string, name: string): string {
  const line = properties.split("\n").find((each) => each.startsWith(`${name}=`));
  if (line === undefined) throw new Error(`the broker's properties have no ${name}`);
  return line.slice(name.length + 1);
}
