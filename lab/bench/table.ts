/** Results for people. */
import type { Contender } from "./contenders.ts";
import { rounded } from "./numbers.ts";
import type { Results, Scenario } from "./scenario.ts";

/** One row a number, one column a contender, then what must be reached. */
export function table(scenario: Pick<Scenario, "targets">, results: Results): string {
  const contenders = Object.keys(results) as Contender[];
  const names = [...new Set(contenders.flatMap((contender) => Object.keys(results[contender]!)))];
  const rows = [["", ...contenders]];
  for (const name of names) {
    const own = results.registrar?.[name];
    const cells = contenders.map((contender) => {
      const value = results[contender]?.[name];
      if (value === undefined) return "";
      const times =
        contender === "registrar" || own === undefined || own === 0 ? "" : ` (${rounded(value / own)} x)`;
      return `${rounded(value)}${times}`;
    });
    rows.push([name, ...cells]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")}`.trimEnd());
  for (const { text, reached } of scenario.targets) {
    const answer = reached(results);
    lines.push(`  ${answer === null ? "not compared" : answer ? "reached" : "NOT reached"}: ${text}`);
  }
  return lines.join("\n");
}
