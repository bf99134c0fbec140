/** The index of one run of `audit`, on a log that was opened. Loaded by that command alone. */
import { type IndexOpening, type IndexSettings, openEnrollmentIndex } from "../index/open-index.ts";

export function openAuditIndex(settings: IndexSettings): IndexOpening {
  return openEnrollmentIndex(settings);
}
