/** One connection through the proxy. */
import { connect, type Socket } from "node:net";
import { sleep } from "../../src/sleep.ts";
import { eachFrame, sendFrame } from "./frames.ts";
import {
  cappedVersions,
  committedPartitions,
  configsRefused,
  coordinatorAt,
  headOf,
  metadataAt,
  produceRefused,
  type RequestHead,
} from "./messages.ts";
import { api, highestVersions } from "./quirks.ts";
import type { Shared } from "./shared.ts";

/** A request that is not answered yet. `answer`: given where the proxy answers itself. */
interface Waiting {
  readonly head: RequestHead;
  readonly answer: Buffer | null;
}

const loginKeys: ReadonlySet<number> = new Set([api.saslHandshake, api.saslAuthenticate, api.apiVersions]);
const producerErrors = [49, 59] as const;

export function openPassage(client: Socket, shared: Shared): { readonly target: Socket } {
  const target = connect({ ...shared.broker, noDelay: true });
  new Passage(client, target, shared).run();
  return { target };
}

class Passage {
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #shared: Shared;
  readonly #waiting: Waiting[] = [];
  #turn: Promise<void> = Promise.resolve();
  #loggedInAtMs: number;
  #cancelIdle: () => void = () => {};

  constructor(client: Socket, target: Socket, shared: Shared) {
    this.#client = client;
    this.#target = target;
    this.#shared = shared;
    this.#loggedInAtMs = shared.clock.nowMs();
  }

  run(): void {
    for (const socket of [this.#client, this.#target]) socket.on("error", () => {});
    this.#client.once("close", () => this.#end());
    this.#target.once("close", () => this.#end());
    eachFrame(this.#client, (frame) => {
      this.#active();
      this.#turn = this.#turn.then(() => this.#pass(frame)); // 1
    });
    eachFrame(this.#target, (frame) => {
      this.#active();
      this.#answered(frame);
    });
    this.#active();
  }

  #end(): void {
    this.#cancelIdle();
    this.#client.destroy();
    this.#target.destroy();
  }

  #active(): void {
    const { clock, quirks, counts } = this.#shared;
    this.#cancelIdle();
    if (this.#client.destroyed) return;
    this.#cancelIdle = clock.after(quirks.idleMs, () => {
      counts.closedIdle += 1;
      this.#end();
    });
  }

  async #pass(frame: Buffer): Promise<void> {
    const { counts } = this.#shared;
    const head = headOf(frame);
    if (this.#client.destroyed) return;
    if (head.version > (highestVersions.get(head.key) ?? -1)) {
      counts.unlisted += 1;
      return this.#end();
    }
    if (this.#isSessionOver(head)) {
      counts.sessionsEnded += 1;
      return this.#end();
    }
    if (head.key === api.saslAuthenticate) this.#loggedInAtMs = this.#shared.clock.nowMs();
    if (head.key === api.offsetCommit) await this.#delayCommit(frame);
    if (head.key === api.produce && this.#isTooLarge(frame)) {
      counts.closedForSize += 1;
      return this.#end();
    }
    this.#forward(frame, head, this.#ownAnswer(frame, head));
  }

  #isSessionOver({ key }: RequestHead): boolean {
    const { quirks, clock } = this.#shared;
    if (quirks.sessionMs === 0 || loginKeys.has(key)) return false;
    return clock.nowMs() - this.#loggedInAtMs > quirks.sessionMs;
  }

  async #delayCommit(frame: Buffer): Promise<void> {
    const { pace, clock, counts } = this.#shared;
    const waitMs = pace.waitMs(committedPartitions(frame), clock.nowMs());
    if (waitMs <= 0) return;
    counts.commitsDelayed += 1;
    await sleep(clock, waitMs);
  }

  #isTooLarge(frame: Buffer): boolean {
    const { counts, quirks } = this.#shared;
    const bytes = frame.length + 4;
    counts.largestProduceBytes = Math.max(counts.largestProduceBytes, bytes);
    return bytes > quirks.requestBytesMax;
  }

  /** Null: the broker's. */
  #ownAnswer(frame: Buffer, { key }: RequestHead): Buffer | null {
    const { counts, quirks, random } = this.#shared;
    if (key === api.describeConfigs) {
      counts.configsRefused += 1;
      return configsRefused(frame);
    }
    if (key !== api.produce || random() >= quirks.unknownProducerShare) return null;
    counts.unknownProducers += 1;
    return produceRefused(frame, producerErrors[Math.floor(random() * producerErrors.length)]!);
  }

  #forward(frame: Buffer, head: RequestHead, answer: Buffer | null): void {
    this.#waiting.push({ head, answer });
    if (answer === null) sendFrame(this.#target, frame);
    else this.#sendOwn();
  }

  /** The broker's, to the first that waits. */
  #answered(frame: Buffer): void {
    const first = this.#waiting.shift();
    if (first === undefined) return;
    sendFrame(this.#client, this.#rewritten(frame, first.head));
    this.#sendOwn();
  }

  #sendOwn(): void {
    for (let first = this.#waiting[0]; first?.answer != null; first = this.#waiting[0]) {
      sendFrame(this.#client, first.answer);
      this.#waiting.shift();
    }
  }

  #rewritten(frame: Buffer, { key, version }: RequestHead): Buffer {
    const { own } = this.#shared;
    if (key === api.apiVersions) return cappedVersions(frame);
    if (key === api.metadata) return metadataAt(frame, version, own);
    if (key === api.findCoordinator) return coordinatorAt(frame, version, own);
    return frame;
  }
}
