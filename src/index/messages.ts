/** What the thread that reads the topics and the thread that answers say to each other. */
import type { Topic } from "../ports.ts";
import type { Problem } from "../problem.ts";
import type { IndexProgress, TopicRange } from "./enrollment-index.ts";

export type FromReader =
  /** The file is there, or was made again: views are opened again. Until `isLoaded` they find nothing. */
  | { readonly kind: "file"; readonly isLoaded: boolean; readonly progress: IndexProgress }
  | { readonly kind: "loaded" }
  | { readonly kind: "progress"; readonly progress: IndexProgress }
  /** Only while a request waits. */
  | { readonly kind: "outcomes"; readonly keys: readonly string[] }
  | { readonly kind: "note"; readonly message: string }
  | { readonly kind: "problem"; readonly problem: Problem }
  /** Nothing is read until `release`. */
  | { readonly kind: "held"; readonly ranges: Readonly<Record<Topic, TopicRange>> }
  | { readonly kind: "not-held"; readonly reason: string };

export type ToReader =
  | { readonly kind: "hold" }
  | { readonly kind: "release" }
  | { readonly kind: "damaged"; readonly why: string }
  | { readonly kind: "stop" };

/** Memory of both: how many wait for outcomes. A message would come after the outcome that it asks for. */
export type WaitersCount = Int32Array<SharedArrayBuffer>;

export function newWaitersCount(): WaitersCount {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}
