/** Finds environment variables that look like a mistyped setting. Foreign variables (AZURE_CONFIG_DIR) stay quiet. */
import { table } from "./table.ts";

const known: readonly string[] = Object.values(table).map((setting) => setting.variable);

/** Names that other Kafka and Azure tools use for the same thing. */
const aliases: Readonly<Record<string, string>> = {
  KAFKA_BOOTSTRAP_SERVERS: "KAFKA_BROKERS",
  KAFKA_BROKER_LIST: "KAFKA_BROKERS",
  KAFKA_SECURITY_PROTOCOL: "KAFKA_SSL",
  KAFKA_CONSUMER_GROUP: "KAFKA_GROUP_ID",
  AZURE_SECRET: "AZURE_CLIENT_SECRET",
  AZURE_APP_ID: "AZURE_CLIENT_ID",
};

export function findTypos(environment: Readonly<Record<string, string | undefined>>): string[] {
  const warnings: string[] = [];
  for (const name of Object.keys(environment)) {
    if (known.includes(name)) continue;
    const meant = aliases[name] ?? nearest(name);
    if (meant === null || environment[meant]) continue;
    warnings.push(`${name} is not a setting; did you mean ${meant}? Type ${meant}=… (its value is not read)`);
  }
  return warnings;
}

/** The setting within two edits, or whose words the name shares all but one of; null if there is none. */
function nearest(name: string): string | null {
  if (name.length < 7 || name.length > 64) return null;
  const upper = name.toUpperCase();
  let best: string | null = null;
  let bestDistance = 3;
  for (const candidate of known) {
    const distance =
      upper === candidate ? 0 : sharesWords(upper, candidate) ? 2 : editDistance(upper, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Same first word, and one name's words are all among the other's, at least two: GRAPH_TIMEOUT_MS. */
function sharesWords(name: string, candidate: string): boolean {
  const a = name.split("_");
  const b = candidate.split("_");
  if (a[0] !== b[0] || a.length < 2 || b.length < 2 || a.length > b.length) return false;
  return a.every((word) => b.includes(word)) && b.length - a.length <= 1;
}

/** Levenshtein distance with transpositions of neighbours; texts are short. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
