/** What no single setting shows: pairs that contradict each other (problems) or work against the user (warnings). */
import { kafkaOnly, lintKafkaSecurity } from "./lint-kafka-security.ts";
import type { Findings, SettingProblem } from "./problem.ts";
import { type Group, type SettingName, type Settings, table } from "./table.ts";

export function lint(
  s: Settings,
  isSet: (name: SettingName) => boolean,
  groups?: readonly Group[],
): Findings {
  const has = (group: Group) => !groups || groups.includes(group);
  const problems: SettingProblem[] = [];
  const warnings: string[] = [];
  const warn = (applies: boolean, text: string) => applies && warnings.push(text);

  const leastSettleMs = s.graphRequestTimeoutMs + s.publishTimeoutMs;
  if (has("worker") && s.settleMs < leastSettleMs) {
    problems.push({
      variable: "SETTLE_MS",
      given: `"${s.settleMs}"`,
      problem: `is shorter than GRAPH_REQUEST_TIMEOUT_MS + PUBLISH_TIMEOUT_MS (${leastSettleMs}): a request of a vanished worker could still create an object after the look for it`,
      fix: `export SETTLE_MS=${leastSettleMs + 2_000}`,
    });
  }

  if (has("log")) {
    const kafka = s.kafkaBrokers !== null;
    for (const name of kafkaOnly) {
      warn(
        !kafka && isSet(name),
        `${table[name].variable} has no effect without KAFKA_BROKERS: the embedded log in ${s.dataDir} is used`,
      );
    }
    const security = kafka ? lintKafkaSecurity(s) : { problems: [], warnings: [] };
    problems.push(...security.problems);
    warnings.push(...security.warnings);
    warn(
      kafka && s.kafkaSessionTimeoutMs < 6_000,
      `KAFKA_SESSION_TIMEOUT_MS=${s.kafkaSessionTimeoutMs} is below what brokers accept by default (6000); type: export KAFKA_SESSION_TIMEOUT_MS=30000, or lower the broker's group.min.session.timeout.ms`,
    );
    warn(
      has("graph") && kafka && s.graphRequestTimeoutMs >= s.kafkaSessionTimeoutMs,
      `GRAPH_REQUEST_TIMEOUT_MS=${s.graphRequestTimeoutMs} is not below KAFKA_SESSION_TIMEOUT_MS=${s.kafkaSessionTimeoutMs}: a request can outlive the worker's hold on its partitions, and each such record is looked up again; type: export GRAPH_REQUEST_TIMEOUT_MS=${Math.max(100, Math.floor(s.kafkaSessionTimeoutMs / 3))}`,
    );
  }

  if (has("graph")) {
    warn(
      has("process") && s.graphRequestTimeoutMs > s.shutdownTimeoutMs,
      `GRAPH_REQUEST_TIMEOUT_MS=${s.graphRequestTimeoutMs} is above SHUTDOWN_TIMEOUT_MS=${s.shutdownTimeoutMs}: requests in flight at SIGTERM may be cut off and are looked up at the next start`,
    );
    warn(
      s.graphWritesPer20s > 0 && s.graphBatchMax > s.graphWritesPer20s,
      `GRAPH_BATCH_MAX=${s.graphBatchMax} is above GRAPH_WRITES_PER_20S=${s.graphWritesPer20s}: no batch will ever be full`,
    );
    warn(
      has("worker") && s.graphMaxInFlight > s.windowRecords,
      `GRAPH_MAX_IN_FLIGHT=${s.graphMaxInFlight} is above WINDOW_RECORDS=${s.windowRecords}: one partition can't use all requests`,
    );
    warn(
      s.graphBaseUrl?.startsWith("http://") === true && !isLoopback(s.graphBaseUrl),
      "GRAPH_BASE_URL is http:// to another machine: access tokens travel unencrypted; use https://",
    );
  }

  if (has("serve")) {
    warn(
      isSet("serveEntraRole") && s.serveEntraAudience === null,
      "SERVE_ENTRA_ROLE has no effect without SERVE_ENTRA_AUDIENCE; type: export SERVE_ENTRA_AUDIENCE=api://connector-registrar",
    );
  }

  if (has("process")) {
    warn(
      s.shutdownTimeoutMs > 9_500,
      `SHUTDOWN_TIMEOUT_MS=${s.shutdownTimeoutMs}: container engines kill after 10 s by default; type: export SHUTDOWN_TIMEOUT_MS=9000, or raise their grace period`,
    );
    warn(
      isSet("httpHost") && s.httpPort === null,
      "HTTP_HOST has no effect without HTTP_PORT; type: export HTTP_PORT=8080",
    );
  }
  return { problems, warnings };
}

function isLoopback(address: string): boolean {
  return /^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/.test(address);
}
