/** A table of texts, its columns as wide as what stands in them. */
import { plain } from "../terminal.ts";

export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const shown = [head, ...rows].map((row) => row.map(plain));
  const widths = head.map((_, column) => shown.reduce((most, row) => Math.max(most, row[column]!.length), 0));
  return shown.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}
