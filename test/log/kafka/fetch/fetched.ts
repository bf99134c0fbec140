/** An answer to a fetch of partition 0 of topic "t": nothing came, up to offset 5, but for what `changes` says. */
import type { Fetched } from "../../../../src/log/kafka/fetch/fetch-request.ts";

export function fetched(changes: Partial<Fetched> = {}): Fetched[] {
  return [
    {
      topic: "t",
      partition: 0,
      errorCode: 0,
      stableEnd: 5,
      aborted: [],
      diverges: false,
      bytes: Buffer.of(),
      ...changes,
    },
  ];
}
