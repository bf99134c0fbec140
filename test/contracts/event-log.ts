/**
 * The contract of EventLog and LogTail (src/ports.ts), as cases that every adapter has to pass. Run it from the
 * adapter's own test file: `eventLogContract("embedded log", features, openHarness)`.
 */
import { belongingCases } from "./event-log/belonging.ts";
import { followingCases } from "./event-log/following.ts";
import { caseDefiner, type Features, type OpenHarness } from "./event-log/harness.ts";
import { holdingCases } from "./event-log/holding.ts";
import { storingCases } from "./event-log/storing.ts";
import { workingCases } from "./event-log/working.ts";

export function eventLogContract(name: string, features: Features, open: OpenHarness): void {
  const define = caseDefiner(name, features, open);
  storingCases(define, features);
  workingCases(define, features);
  belongingCases(define, features);
  holdingCases(define, features);
  followingCases(define);
}
