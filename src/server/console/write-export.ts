/** What the console needs of the audit: to write an export. */

export interface ExportFilter {
  /** Lower case; null: all. */
  readonly tenantIds: readonly string[] | null;
  /** Milliseconds since 1970; from inclusive, to exclusive; null: no limit. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

export type ExportFormat = "csv" | "jsonl";

/** Writes `path` and `path`.manifest.json, each whole or not at all; throws what the file system throws. */
export type WriteExport = (request: {
  readonly filter: ExportFilter;
  readonly format: ExportFormat;
  readonly path: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
}) => Promise<{ readonly counts: ExportCounts; readonly sha256: string }>;

export interface ExportCounts {
  readonly rows: number;
  readonly created: number;
  readonly recovered: number;
  readonly refused: number;
  readonly waiting: number;
}
