/** What the console needs of the audit: to write an export. */
import type { FileRequest } from "../../audit/export.ts";
import type { Counts } from "../../audit/manifest.ts";

/** Writes `path` and `path`.manifest.json, each whole or not at all; throws what the file system throws. */
export type WriteExport = (
  request: FileRequest,
) => Promise<{ readonly counts: Counts; readonly sha256: string }>;
