/**
 * The contract of Graph (src/ports.ts), as cases that every adapter has to pass. Run it from the adapter's own test
 * file: `graphContract("adapter over HTTPS", features, openHarness)`.
 */
import { batchCases } from "./graph/batches.ts";
import { creationCases } from "./graph/creating.ts";
import { caseDefiner, type GraphFeatures, type OpenGraphHarness } from "./graph/harness.ts";
import { readingCases } from "./graph/reading.ts";
import { credentialCases, silenceCases } from "./graph/silence.ts";

export function graphContract(name: string, features: GraphFeatures, open: OpenGraphHarness): void {
  const define = caseDefiner(name, open);
  creationCases(define);
  batchCases(define);
  silenceCases(define);
  readingCases(define);
  if (features.credentials) credentialCases(define);
}
