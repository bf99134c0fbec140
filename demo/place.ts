/** Where the demo's log lives: a temporary directory, or a real broker under a topic prefix of its own. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KafkaConfig } from "kafkajs";
import { plain, say } from "../src/cli/terminal.ts";
import { systemClock } from "../src/clock.ts";
import { readKafkaSecurity } from "../src/compose/kafka-settings.ts";
import { loadSettings } from "../src/config/load.ts";
import type { Problem } from "../src/problem.ts";

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

/** KAFKA_BROKERS with its TLS and login, else a broker of the demo's own. */
export async function kafkaPlace(environment: Environment, ownBroker: OwnBroker | null): Promise<FoundPlace> {
  const broker = await findBroker(environment.KAFKA_BROKERS, ownBroker);
  if (!broker.ok) {
    return {
      ok: false,
      problem: {
        code: "no-broker",
        message: `There is no Kafka broker: ${broker.reason}.`,
        fix: "Type: export KAFKA_BROKERS=localhost:9092 (or where your broker is), or leave --kafka out to use the embedded log.",
      },
    };
  }
  const brokers = broker.brokers.join(",");
  const access = { KAFKA_BROKERS: brokers, ...(broker.kind === "given" ? securityOf(environment) : {}) };
  const security = await securityFrom(access);
  if (!security.ok) return security;
  const name = `connector-registrar-demo-${randomBytes(4).toString("hex")}`;
  return {
    ok: true,
    name: `Kafka at ${brokers}`,
    environment: { ...access, KAFKA_TOPIC_PREFIX: `${name}.`, KAFKA_GROUP_ID: name },
    async remove() {
      // A broker of our own takes its topics with it.
      if (broker.kind === "given") {
        await deleteTopics({ brokers: [...broker.brokers], ...security.kafkajs }, name).catch(
          (error: Error) =>
            say(`connector-registrar: topics ${name}.* may be left at ${brokers}: ${plain(error.message)}\n`),
        );
      }
      await broker.stop();
    },
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

function securityOf(environment: Environment): Record<string, string> {
  const names = Object.keys(environment).filter((name) =>
    /^KAFKA_(SSL|SASL|OAUTH|CA_FILE|CLIENT_(CERT|KEY))/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, environment[name] ?? ""]));
}

async function securityFrom(environment: Environment): ReturnType<typeof readKafkaSecurity> {
  const loaded = loadSettings({ environment, groups: ["log"] });
  for (const warning of loaded.warnings) say(`connector-registrar: warning: ${warning}\n`);
  if (loaded.ok) return readKafkaSecurity(loaded.settings, systemClock);
  const message = loaded.problems.map(
    ({ variable, given, problem }) => `${variable} (given: ${given}) ${problem}.`,
  );
  const fixes = loaded.problems.map(({ fix }) => fix);
  return {
    ok: false,
    problem: { code: "settings", message: message.join(" "), fix: `Type ${fixes.join("; ")}` },
  };
}

interface FoundBroker {
  readonly ok: true;
  readonly brokers: readonly string[];
  readonly kind: "given" | "docker" | "java";
  stop(): Promise<void>;
}

type BrokerResult = FoundBroker | { readonly ok: false; readonly reason: string };

/** Starts a broker that is gone after the demo. */
export type OwnBroker = () => Promise<BrokerResult>;

async function findBroker(given: string | undefined, ownBroker: OwnBroker | null): Promise<BrokerResult> {
  if (given) {
    const brokers = given.split(",").map((address) => address.trim());
    return { ok: true, kind: "given", brokers, stop: async () => {} };
  }
  return ownBroker === null ? { ok: false, reason: "KAFKA_BROKERS is not set" } : ownBroker();
}

async function deleteTopics(
  access: Pick<KafkaConfig, "brokers" | "ssl" | "sasl">,
  name: string,
): Promise<void> {
  const { default: kafkajs } = await import("kafkajs");
  const kafka = new kafkajs.Kafka({
    ...access,
    clientId: name,
    retry: { retries: 2 },
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
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${name}.`));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    await admin.deleteGroups([name]).catch(() => {}); // never joined: there is none
  } finally {
    await admin.disconnect();
    process.emitWarning = emitWarning;
  }
}
