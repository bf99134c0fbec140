/** The index on a log that was opened. Loaded by those commands alone that need it. */
import { type IndexOpening, type IndexSettings, openEnrollmentIndex } from "../index/open-index.ts";

export type { IndexSettings };

export function openIndex(settings: IndexSettings): IndexOpening {
  return openEnrollmentIndex(settings);
}
