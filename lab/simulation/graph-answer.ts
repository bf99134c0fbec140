/** An answer of Graph as the adapter hands it on: without a body, but for what `changes` says. */
import type { GraphAnswer } from "../../src/graph-port.ts";

export function graphAnswer(status: number, changes: Partial<GraphAnswer> = {}): GraphAnswer {
  return {
    kind: "answer",
    status,
    object: null,
    errorCode: "",
    errorMessage: "",
    retryAfter: null,
    requestId: null,
    date: null,
    ofBatch: false,
    ...changes,
  };
}
