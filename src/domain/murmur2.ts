/** Where a tenant lives: the partition that Kafka's Java clients choose for the record key. */
const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;
const utf8 = new TextEncoder();

/** The home partition of a tenant, 0 to `partitionCount` - 1, as Java's default partitioner has it for its key. */
export function homePartition(tenantId: string, partitionCount: number): number {
  return (murmur2(utf8.encode(tenantId)) & 0x7fffffff) % partitionCount;
}

/** MurmurHash2, 32 bit, with Kafka's seed; signed, as Java's int. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = seed ^ length;
  const tail = length & ~3;
  for (let at = 0; at < tail; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = Math.imul(hash, multiplier) ^ scramble(word);
  }
  if (length > tail) {
    // Up to three bytes are left; those past the end read as undefined, which shifts to 0.
    hash ^= bytes[tail]! | (bytes[tail + 1]! << 8) | (bytes[tail + 2]! << 16);
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

function scramble(word: number): number {
  const product = Math.imul(word, multiplier);
  return Math.imul(product ^ (product >>> 24), multiplier);
}
