/** What the console needs of the audit: to write an export. */
import type { AuditFilter } from "../../audit/rows.ts";

export type ExportFormat = "csv" | "jsonl";

/** Writes `path` and `path`.manifest.json, each whole or not at all; throws what the file system throws. */
export type WriteExport = (request: {
  readonly filter: AuditFilter;
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
