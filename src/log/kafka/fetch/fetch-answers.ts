/** What becomes of fetched partitions: records, a gap, another try after a while, or the end. */
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { errorCodes, errorName, isPassing, reasonOf } from "../cluster/errors.ts";
import { refused } from "../group/join-group.ts";
import type { InputPartition } from "./fetch-buffer.ts";
import type { Fetched } from "./fetch-request.ts";
import type { FetcherOptions } from "./fetcher-options.ts";
import { findGap, isRecreated } from "./gaps.ts";
import { logRecords } from "./reader.ts";
import { BatchError, type DecodedRecords, decodeBatches } from "./record-batch.ts";
import { unreadableBatch } from "./unreadable.ts";

const retryDelayMs = 200;

/** `offset`: where the fetch began. */
export interface FetchedInput {
  readonly input: InputPartition;
  readonly offset: number;
}

const partitionName = ({ name, partition }: InputPartition) => `${name}/${partition}`;

export class FetchAnswers {
  readonly #options: FetcherOptions;
  readonly #onReady: () => void;
  #stopped = false;

  /** @param onReady called when partitions that were left alone may be fetched again. */
  constructor(options: FetcherOptions, onReady: () => void) {
    this.#options = options;
    this.#onReady = onReady;
  }

  stop(): void {
    this.#stopped = true;
  }

  take(cluster: ClusterConnection, requests: readonly FetchedInput[], answers: readonly Fetched[]): void {
    const byPartition = new Map(answers.map((fetched) => [`${fetched.topic}/${fetched.partition}`, fetched]));
    for (const request of requests) {
      const fetched = byPartition.get(partitionName(request.input));
      // Left out while the broker throttles this client.
      if (fetched && !this.#stopped) this.#takeOne(cluster, request, fetched);
    }
  }

  #takeOne(cluster: ClusterConnection, request: FetchedInput, fetched: Fetched): void {
    const { errorCode, diverges } = fetched;
    if (errorCode === errorCodes.none && !diverges) this.#deliver(cluster, request, fetched);
    else if (diverges || errorCode === errorCodes.offsetOutOfRange)
      void this.#reportGap(cluster, request, diverges);
    else if (isPassing(errorCode) || errorCode === errorCodes.unknownServerError)
      this.backOff([request.input], cluster, errorName(errorCode));
    else {
      const reason = `${partitionName(request.input)} can't be read: ${errorName(errorCode)}`;
      const isRight = errorCode === errorCodes.topicAuthorizationFailed;
      this.#options.onFatal(reason, isRight ? refused(reason).problem : undefined);
    }
  }

  #deliver(cluster: ClusterConnection, { input, offset }: FetchedInput, fetched: Fetched): void {
    const { buffer, settings } = this.#options;
    let decoded: DecodedRecords;
    try {
      decoded = decodeBatches(fetched.bytes, offset, fetched.aborted);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      return this.#unreadable(cluster, input, error);
    }
    const { nextOffset } = decoded;
    if (nextOffset === offset && fetched.bytes.length > 0)
      return this.backOff([input], cluster, `the batch at offset ${offset} comes cut short`);
    settings.health.worked(partitionName(input));
    const records = logRecords(input.topic, input.partition, decoded.records);
    const lastEpoch = nextOffset > offset ? decoded.lastEpoch : input.lastEpoch;
    buffer.deliver(input, { offset, records, nextOffset, lastEpoch });
  }

  /** Tried once more: the bytes may have been damaged on their way. */
  #unreadable(cluster: ClusterConnection, input: InputPartition, error: BatchError): void {
    const { settings, onFatal } = this.#options;
    input.unreadable += 1;
    if (input.unreadable < 2) return this.backOff([input], cluster, error.message);
    const context = { role: input.topic, topic: input.name, partition: input.partition, ...settings };
    const problem = unreadableBatch(error, context);
    onFatal(`${problem.message} ${problem.fix}`, problem);
  }

  async #reportGap(
    cluster: ClusterConnection,
    { input, offset }: FetchedInput,
    diverges: boolean,
  ): Promise<void> {
    const { buffer, connections } = this.#options;
    input.fetching = true;
    try {
      const gap = await findGap(cluster, input, { offset, diverges });
      input.outOfRange += 1;
      if (gap) {
        input.fetching = false;
        return buffer.gap(input, { offset, ...gap });
      }
      this.backOff([input], cluster, `it has no offset ${offset}`);
    } catch (error) {
      connections.long.drop(cluster);
      this.backOff([input], cluster, reasonOf(error));
    }
  }

  /** Leaves these alone for a little, and asks for their leaders again. */
  backOff(inputs: readonly InputPartition[], cluster: ClusterConnection | null, reason: string): void {
    const { connections, settings, clock } = this.#options;
    if (this.#stopped || inputs.length === 0) return;
    for (const input of inputs) {
      input.fetching = true;
      settings.health.failed(partitionName(input), reason);
    }
    clock.after(retryDelayMs, async () => {
      if (cluster) await this.#refresh(cluster);
      if (cluster && !cluster.closed)
        await this.#reportRecreated(cluster, inputs).catch(() => connections.long.drop(cluster));
      for (const input of inputs) input.fetching = false;
      this.#onReady();
    });
  }

  /** Also what the long connection knows: leaders are chosen by that, whichever poll met the trouble. */
  async #refresh(cluster: ClusterConnection): Promise<void> {
    const { long } = this.#options.connections;
    const leading = await long.cluster().catch(() => cluster);
    const known = [...new Set([cluster, leading])].filter(({ closed }) => !closed);
    await Promise.all(known.map((one) => one.refreshMetadata().catch(() => long.drop(one))));
  }

  /** Topics that were deleted and made again since the session began. */
  async #reportRecreated(cluster: ClusterConnection, inputs: readonly InputPartition[]): Promise<void> {
    for (const input of inputs) {
      const { position: offset } = input;
      if (cluster.closed || offset === null || !isRecreated(cluster, input)) continue;
      const gap = await findGap(cluster, input, { offset, diverges: false });
      if (gap) this.#options.buffer.gap(input, { offset, ...gap });
    }
  }
}
