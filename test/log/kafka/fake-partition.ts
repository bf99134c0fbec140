/** One partition of a broker, as far as idempotent producers see it: what it stores, what it takes for a repetition. */
import { decodeBatches } from "../../../src/log/kafka/fetch/record-batch.ts";

/** What happens to one sending: refused with a code, or stored and answered with a code (0: acknowledged), or lost. */
export type Step =
  | { readonly refuse: number }
  | { readonly store: true; readonly answer: number | "lost" }
  | "lost"
  | "judge";

interface Stored {
  readonly producerId: bigint;
  readonly sequence: number;
  readonly values: string[];
}

export interface FakePartition {
  /** Values stored, in order. */
  readonly values: string[];
  /** Ids of the producers whose batches came, one for each sending. */
  readonly producers: bigint[];
  readonly sequences: number[];
  produce(batch: Buffer): Promise<number>;
}

/** Sendings take the steps in turn, then always "judge": as a broker judges, by producer id and sequence. */
export function fakePartition(...steps: Step[]): FakePartition {
  const batches: Stored[] = [];
  const partition: FakePartition = {
    get values() {
      return batches.flatMap((stored) => stored.values);
    },
    producers: [],
    sequences: [],
    async produce(batch) {
      const producerId = batch.readBigInt64BE(43);
      const sequence = batch.readInt32BE(53);
      partition.producers.push(producerId);
      partition.sequences.push(sequence);
      const step = steps.shift() ?? "judge";
      if (step === "lost") throw new Error("reset");
      if (step !== "judge" && "refuse" in step) return step.refuse;
      const of = batches.filter((stored) => stored.producerId === producerId);
      const last = of.at(-1);
      const next = last === undefined ? 0 : last.sequence + last.values.length;
      const isRepetition = of.some((stored) => stored.sequence === sequence);
      if (!isRepetition && sequence !== next) return 45;
      if (!isRepetition) {
        const values = decodeBatches(batch, 0, []).records.map(({ value }) => String(value));
        batches.push({ producerId, sequence, values });
      }
      if (step === "judge") return 0;
      if (step.answer === "lost") throw new Error("reset");
      return step.answer;
    },
  };
  return partition;
}
