/** Two examples for each command, shown at the end of its help. */
import type { Example } from "./help.ts";

const tenant = "$TENANT_ID";

export const examples = {
  start: [
    { does: "the embedded log, in ./data", line: "start --data-dir ./data" },
    { does: "a Kafka cluster", line: "start --kafka-brokers broker1:9092,broker2:9092" },
  ],
  serve: [
    { does: "for this machine alone, on the embedded log in ./data", line: "serve --data-dir ./data" },
    { does: "asking who sends, by the tokens of a file", line: "serve --tokens-file tokens.json" },
  ],
  tokens: [
    {
      does: "one for the installers of a tenant; it is shown once",
      line: `tokens create --name site-1 --tenant ${tenant}`,
    },
    { does: "an operator's, for the console", line: "tokens create --role operator --name operations" },
  ],
  emit: [
    { does: "one enrollment", line: `emit --tenant ${tenant} --machine WIN01 --connector C1` },
    { does: "a file of events", line: "emit enrollments.jsonl" },
  ],
  tail: [
    { does: "what is registered, from the first record on", line: "tail" },
    { does: "the dead letters of now, as JSON lines", line: "tail dlq --no-follow --json" },
  ],
  doctor: [
    { does: "check what the environment says", line: "doctor" },
    { does: "check a Kafka cluster, for a script", line: "doctor --kafka-brokers broker1:9092 --json" },
  ],
  tenants: [
    { does: "who is served, and whether the file is right", line: "tenants list" },
    { does: "whether each can be served", line: "tenants check" },
  ],
  health: [
    { does: "the worker on this machine", line: "health" },
    { does: "another one", line: "health http://worker1:8080/readyz" },
  ],
  replay: [
    { does: "look first: what would be replayed", line: "replay --code tenant-not-allowed --dry-run" },
    {
      does: "the dead letters of one tenant, of the last two days",
      line: `replay --tenant ${tenant} --since 2d`,
    },
  ],
  reconcile: [
    { does: "all allowed tenants; changes nothing", line: "reconcile" },
    { does: "one tenant, as JSON", line: `reconcile --tenant ${tenant} --json` },
  ],
  audit: [
    {
      does: "one tenant's last week, as a file with a manifest",
      line: `audit --tenant ${tenant} --since 7d --out week.csv`,
    },
    { does: "later: is it what the topics say?", line: "audit --verify week.csv" },
  ],
  repartition: [
    { does: "look first: what would be done", line: "repartition --partitions 16 --dry-run" },
    { does: "do it, after all workers were stopped", line: "repartition --partitions 16" },
  ],
} as const satisfies Readonly<Record<string, readonly Example[]>>;
