/** One of each kind of event, for tests that look at all of them. */
import type { RegistrarEvent } from "../../src/observer.ts";

const at = { topic: "enrolled", partition: 3, offset: 1042 } as const;
export const tenantId = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";
const key = "0f8fad5b-d9cb-569f-a165-70867728950e";

export const sampleEvents: readonly RegistrarEvent[] = [
  { kind: "session-started", partitions: [0, 1] },
  { kind: "partition-gained", partition: 3, suspects: 2, ledgerEntries: 7 },
  { kind: "partition-kept", partition: 3 },
  { kind: "take-over-waits", partition: 3, forMs: 30_000 },
  { kind: "partition-lost", partition: 3, abandoned: 1 },
  { kind: "records-read", topic: "enrolled", partition: 3, count: 10 },
  { kind: "record-refused", at, code: "value-not-json", pointers: [] },
  { kind: "record-duplicate", at, idempotencyKey: key },
  { kind: "gap-passed", topic: "retry", partition: 3, detail: "records 5 to 9 are gone" },
  { kind: "dead-letter-found", at },
  { kind: "record-rehomed", at, toPartition: 5 },
  { kind: "record-parked", at, tenantId },
  {
    kind: "record-registered",
    at,
    tenantId,
    idempotencyKey: key,
    graphId: key,
    outcome: "created",
    attempts: 1,
    ageMs: 250,
  },
  {
    kind: "graph-request",
    operation: "batch",
    tenantId,
    items: 4,
    durationMs: 80,
    results: [201, 429, 503, "timeout"],
  },
  {
    kind: "attempt-failed",
    at,
    tenantId,
    verdict: "throttled",
    detail: "429",
    retryInMs: 100,
    requestId: "r-1",
  },
  { kind: "read-back-failed", tenantId, detail: "500", failures: 3, retryInMs: 4_000 },
  { kind: "graph-normalises", what: ["seconds", "utc"] },
  { kind: "tenant-blocked", tenantId, detail: "403" },
  { kind: "tenant-unblocked", tenantId },
  { kind: "breaker-opened", detail: "503" },
  { kind: "breaker-closed" },
  { kind: "committed", result: "committed", partitions: 2 },
  { kind: "log-failed", operation: "append", reason: "broker away", retryInMs: 100 },
  { kind: "log-unreachable", broker: "127.0.0.1:9092", reason: "no answer to Fetch" },
  { kind: "log-reachable", forMs: 7_200 },
  { kind: "log-token-failed", reason: "HTTP 503", fix: "", leftMs: 300_000 },
  { kind: "log-token-renewed", forMs: 9_100 },
  { kind: "log-unreachable", broker: "127.0.0.1:9092", reason: "no answer to Fetch" },
  { kind: "duplicate-objects", tenantId, idempotencyKey: key, ids: ["a", "b"] },
  { kind: "fault", code: "gap", message: "Records were lost.", fix: "Type ON_RETENTION_GAP=continue." },
];
