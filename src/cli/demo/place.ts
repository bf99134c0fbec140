/** Where the demo's log lives: a temporary directory, or a real broker under a topic prefix of its own. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Problem } from "../../compose.ts";

export interface DemoPlace {
  readonly ok: true;
  /** For people. */
  readonly name: string;
  /** Settings that lead there, by variable. */
  readonly environment: Readonly<Record<string, string>>;
  /** Leaves nothing behind. */
  remove(): Promise<void>;
}

export type FoundPlace = DemoPlace | { readonly ok: false; readonly problem: Problem };

export function embeddedPlace(): DemoPlace {
  const directory = mkdtempSync(join(tmpdir(), "connector-registrar-demo-"));
  return {
    ok: true,
    name: "the embedded log",
    environment: { DATA_DIR: directory },
    remove: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** KAFKA_BROKERS, else a broker of the test support's, which a clone of the project has. */
export async function kafkaPlace(given: string | undefined): Promise<FoundPlace> {
  const broker = await findBroker(given);
  if (!broker.ok) {
    return {
      ok: false,
      problem: {
        code: "no-broker",
        message: `There is no Kafka broker: ${broker.reason}.`,
        fix: "Type KAFKA_BROKERS=host:port, or leave --kafka out to use the embedded log.",
      },
    };
  }
  const name = `connector-registrar-demo-${randomBytes(4).toString("hex")}`;
  const brokers = broker.brokers.join(",");
  return {
    ok: true,
    name: `Kafka at ${brokers}`,
    environment: { KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: `${name}.`, KAFKA_GROUP_ID: name },
    async remove() {
      // A broker of our own takes its topics with it.
      if (broker.kind === "given") await deleteTopics(broker.brokers, `${name}.`, name);
      await broker.stop();
    },
  };
}

interface FoundBroker {
  readonly ok: true;
  readonly brokers: readonly string[];
  readonly kind: "given" | "docker" | "java";
  stop(): Promise<void>;
}

async function findBroker(given: string | undefined): Promise<FoundBroker | { ok: false; reason: string }> {
  if (given) {
    const brokers = given.split(",").map((address) => address.trim());
    return { ok: true, kind: "given", brokers, stop: async () => {} };
  }
  try {
    // By URL, so that the compiled program doesn't carry the test support along.
    const support = await import(new URL("../../../test/support/broker.ts", import.meta.url).href);
    return await support.obtainBroker();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    return { ok: false, reason: "KAFKA_BROKERS is not set" };
  }
}

async function deleteTopics(brokers: readonly string[], prefix: string, groupId: string): Promise<void> {
  const { default: kafkajs } = await import("kafkajs");
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: groupId,
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  const { emitWarning } = process;
  // kafkajs sets timers in the past, which Node reports; it is harmless and nothing a user could act on.
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] !== "TimeoutNegativeWarning") Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    await admin.deleteGroups([groupId]).catch(() => {}); // never joined: there is none
  } finally {
    await admin.disconnect();
    process.emitWarning = emitWarning;
  }
}
