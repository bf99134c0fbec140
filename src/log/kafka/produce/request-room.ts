/**
 * Which partitions' batches go into one Produce request: as many as its bound allows, at least one. All partitions of an Event
 * Hubs namespace have one leader, and a request of more than 1,046,528 bytes gets its connection closed. Pure.
 *
 * 1. Who was left out of requests comes first in the next one, who waits longest before the others.
 */
import { notLeftOut, type PartitionQueue } from "./partition-queue.ts";

/** Of all batches together, with what the request says of each; the rest of the request takes less than the margin. */
export const requestBytesMax = 1_000_000;
/** A batch's own head, and its partition's in the request, without the topic's name. */
const headBytes = 61 + 35;

/** `request`: its number. `make`: gives the queue a batch of at most `bytesMax`, but of one record at least; false: it has none. */
export function fillRequest(
  queues: readonly PartitionQueue[],
  request: number,
  make: (queue: PartitionQueue, bytesMax: number) => boolean,
): PartitionQueue[] {
  const filled: PartitionQueue[] = [];
  let bytes = 0;
  for (const queue of [...queues].sort((a, b) => a.leftOutOf - b.leftOutOf)) {
    const overhead = headBytes + queue.topic.length;
    const room = requestBytesMax - bytes - overhead;
    if (filled.length > 0 && leastBytes(queue) > room) {
      queue.leftOutOf = Math.min(queue.leftOutOf, request); // 1
      continue;
    }
    if (!make(queue, room)) continue;
    queue.leftOutOf = notLeftOut;
    bytes += overhead + queue.batch!.encoded.length;
    filled.push(queue);
  }
  return filled;
}

function leastBytes({ batch, waiting }: PartitionQueue): number {
  return batch?.encoded.length ?? waiting[0]?.bytes ?? 0;
}
