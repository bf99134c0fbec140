/** Why a position can't be read on: what its partition holds is not what was read. */
import type { Bounds } from "../../../ports.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { GapReason, InputPartition } from "./fetch-buffer.ts";
import { listBounds } from "./offsets.ts";

export function isRecreated(
  cluster: ClusterConnection,
  { name, topicId }: Pick<InputPartition, "name" | "topicId">,
): boolean {
  const id = cluster.topicId(name);
  return topicId !== null && id !== null && id !== topicId;
}

/**
 * Called when the broker said that it has no such offset, or that its log diverges from what was read. Null: it may be a
 * leader of the past, or one that does not know yet how far its records are replicated; the next answer will tell.
 */
export async function findGap(
  cluster: ClusterConnection,
  input: InputPartition,
  { offset, diverges }: { readonly offset: number; readonly diverges: boolean },
): Promise<{ why: GapReason; bounds: Bounds } | null> {
  await cluster.refreshMetadata();
  const topicPartition = { topic: input.name, partition: input.partition };
  const [bounds] = await listBounds(cluster, [topicPartition], false);
  if (isRecreated(cluster, input)) return { why: "recreated", bounds: bounds! };
  if (diverges) return { why: "truncated", bounds: bounds! };
  if (offset < bounds!.start) return { why: "deleted", bounds: bounds! };
  // An epoch that the log has never seen is answered like an offset beyond its end.
  const isBeyond = offset > bounds!.end || input.lastEpoch >= 0;
  return input.outOfRange > 0 && isBeyond ? { why: "truncated", bounds: bounds! } : null;
}
