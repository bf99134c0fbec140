/**
 * Everything that sources and pages tell people to type, held against what no advice may do: break an invariant, or take away
 * memory or unsettled records without saying so. What the lines do when they are typed is in the tests of each part.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type AdviceText, adviceInCode, adviceInPage } from "./support/advice-texts.ts";

interface Rule {
  readonly name: string;
  /** True: the text breaks it. */
  readonly isBroken: (text: string) => boolean;
  /** Advice that was given once, or could be: each must be caught. */
  readonly bad: readonly string[];
}

const saysSecondObject = /second object|second time|made twice|twice/i;
const saysWhatIsLost = /not registered|lost|without what|second object|second time|looked up/i;
const stopsWorkers = /\b[Ss]top (?:every|the|its|their|all) ?workers?\b|workers? .*\bstop/i;

const rules: readonly Rule[] = [
  {
    name: "no topic is deleted",
    isBroken: (text) =>
      /kafka-topics\.sh[^|]*--delete\b/.test(text) ||
      /\bdelete (?:\S+ )?(?:the topic|\$\{name\}|`?connector\.)/i.test(text),
    bad: [
      "stop every worker, then delete ${name} and type: ${createCommand()}",
      "kafka-topics.sh --bootstrap-server b:9092 --delete --topic connector.registered",
      "Stop the workers and delete `connector.registered`.",
    ],
  },
  {
    name: "partition counts are changed by repartition only",
    isBroken: (text) =>
      /kafka-topics\.sh[^|]*--alter\b/.test(text) ||
      (/\badd (?:the same number|partitions)\b/i.test(text) && !text.includes("repartition")),
    bad: [
      "kafka-topics.sh --bootstrap-server b:9092 --alter --topic ${name} --partitions ${partitionCount}",
      "drain first, then add the same number to connector.enrolled and connector.registered, or start with new topics",
    ],
  },
  {
    name: "positions of a group are touched only while no worker runs, and never forward",
    isBroken: (text) =>
      /kafka-consumer-groups\.sh.*--(?:delete|reset)/.test(text) &&
      (!stopsWorkers.test(text) || /--to-latest|--shift-by \d/.test(text)),
    bad: [
      "type: kafka-consumer-groups.sh --bootstrap-server b:9092 --delete --group g",
      "Stop the workers, then kafka-consumer-groups.sh --reset-offsets --to-latest",
    ],
  },
  {
    name: "going on over a gap says what is lost",
    isBroken: (text) => text.includes("ON_RETENTION_GAP=continue") && !saysWhatIsLost.test(text),
    bad: ["to continue with what is there, start with ON_RETENTION_GAP=continue."],
  },
  {
    name: "beginning without the memory says that objects are made twice",
    isBroken: (text) =>
      (/(?<![-\w])rm (?!-)|\bto an empty folder|KAFKA_TOPIC_PREFIX=<|new topics|with an empty memory/.test(
        text,
      ) ||
        /KAFKA_GROUP_ID.{0,12} new name/.test(text)) &&
      !saysSecondObject.test(text),
    bad: [
      "To continue without what is missing, type: rm ${markFile}",
      "set DATA_DIR to an empty folder and KAFKA_GROUP_ID to a new name.",
      "start with new topics (`KAFKA_TOPIC_PREFIX`).",
    ],
  },
  {
    name: "retention and durability are raised, never lowered",
    isBroken: (text) =>
      /(?:retention\.(?:ms|bytes)=\d{1,8}\b|min\.insync\.replicas=[01]\b|unclean\.leader\.election\.enable=true).*--|--add-config.*(?:retention\.(?:ms|bytes)=\d{1,8}\b|min\.insync\.replicas=[01]\b|unclean\.leader\.election\.enable=true|cleanup\.policy=\S*delete,)/.test(
        text,
      ),
    bad: [
      "kafka-configs.sh --alter --entity-name connector.enrolled --add-config retention.ms=60000",
      "kafka-configs.sh --alter --entity-name connector.registered --add-config min.insync.replicas=1",
      "kafka-configs.sh --alter --entity-name connector.registered --add-config unclean.leader.election.enable=true",
    ],
  },
  {
    name: "a variable to type is a line that works when it is pasted",
    isBroken: (text) => /\b[Tt]ype:? [A-Z]{3,}(?:_[A-Z0-9]+)+=/.test(text),
    bad: ["Type KAFKA_SSL=true, or another port.", "type: AZURE_CLIENT_ID=x"],
  },
  {
    name: "protection is not turned off",
    isBroken: (text) =>
      /NODE_TLS_REJECT_UNAUTHORIZED|rejectUnauthorized|--insecure|allow\.everyone/.test(text) ||
      /\bkill -9\b|SIGKILL .*worker.*then type/.test(text),
    bad: ["type: export NODE_TLS_REJECT_UNAUTHORIZED=0", "kill -9 the workers"],
  },
];

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const sources = globSync("src/**/*.ts", { cwd: root }).sort();
const pages = ["README.md", ...globSync("docs/*.md", { cwd: root }).sort()];
const advice: readonly AdviceText[] = [
  ...sources.flatMap((path) => adviceInCode(path, read(path))),
  ...pages.flatMap((path) => adviceInPage(path, read(path))),
];

suite("advice", () => {
  test("all of it was collected: what faults, problems and pages say is among it", () => {
    assert.ok(advice.length > 150, `${advice.length} texts`);
    for (const known of [
      /^stop every worker, then type: connector-registrar repartition/,
      /^kafka-configs\.sh .*--add-config \$\{entry\}$/,
      /ON_RETENTION_GAP=continue/,
      /GRAPH_SEND_ID=omit/,
      /sqlite3/,
      /kafka-consumer-groups\.sh --reset-offsets/,
    ]) {
      assert.ok(
        advice.some(({ text }) => known.test(text)),
        String(known),
      );
    }
  });

  for (const { name, isBroken, bad } of rules) {
    test(name, () => {
      const broken = advice.filter(({ text }) => isBroken(text)).map(({ at, text }) => `${at}: ${text}`);
      assert.deepEqual(broken, []);
    });

    test(`${name}: what breaks it is caught`, () => {
      for (const text of bad) assert.ok(isBroken(text), text);
    });
  }
});
