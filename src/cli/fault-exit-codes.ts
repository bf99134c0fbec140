/**
 * How `start` ends, by the code of what ended it, for supervisors that tell a setting from an accident. docs/OPERATING.md
 * has the same two lists.
 */
import { exitCodes } from "./terminal.ts";

/** Found in the work: what was read, stored or lost. Settings don't cure it. */
const found = [
  "batch-unreadable",
  "kafka-unreachable",
  "ledger-lost",
  "log-busy",
  "log-closed",
  "log-damaged",
  "log-disk-full",
  "log-flush-failed",
  "log-flush-slow",
  "log-io",
  "log-lost-changes",
  "log-overloaded",
  "log-taken-over",
  "membership-lost",
  "parked-copy-lost",
  "parked-records-gone",
  "retention-gap",
  "topic-deleted",
] as const;

/** A setting, a right, or the set-up of topics and groups has to change. */
const setUp = [
  "ca-file",
  "credential-refused",
  "graph-ids-refused",
  "graph-route-missing",
  "group-changed",
  "http-host",
  "instance-id-taken",
  "instance-id-unknown",
  "kafka-login",
  "kafka-refused",
  "kafka-tls",
  "kafka-tls-files",
  "kafka-token",
  "ledger-misplaced",
  "log-cannot-open",
  "log-foreign",
  "log-not-writable",
  "log-taken",
  "log-version",
  "membership-refused",
  "port-not-allowed",
  "port-taken",
  "proxy-malformed",
  "repartition-not-there",
  "serve-open",
  "serve-plain",
  "serve-tls-files",
  "tenants-file",
  "tokens-file",
  "topic-cleanup-policy",
  "topic-message-bytes",
  "topic-not-allowed",
  "topic-partitions",
  "topics-missing",
  "topics-not-created",
  "untrusted-ca",
] as const;

export const faultExitCodes: ReadonlyMap<string, number> = new Map<string, number>([
  ...found.map((code) => [code, exitCodes.failed] as const),
  ...setUp.map((code) => [code, exitCodes.usage] as const),
]);

/** A code that is in neither list is a failure of the work. */
export function faultExitCode({ code }: { readonly code: string }): number {
  return faultExitCodes.get(code) ?? exitCodes.failed;
}
