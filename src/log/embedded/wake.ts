/**
 * Wakes reads that wait for records. Appends of this process wake them immediately; those of others are noticed through the
 * file that each of them writes after its commit (`log.head`), and, where file events don't work (network and some
 * container mounts), by asking SQLite a few times a second. Nothing runs while no read waits.
 */
import { type FSWatcher, watch } from "node:fs";
import type { Clock, Topic } from "../../ports.ts";
import type { End } from "./store.ts";

const pollMs = 250;

interface Waiter {
  readonly topic: Topic;
  /** Null: all. */
  readonly partition: number | null;
  readonly resolve: () => void;
}

/** The log as others may have changed it. Each is null while it can't be asked. */
export interface Watched {
  /** Changes with every commit of another connection. */
  readonly dataVersion: () => number | null;
  readonly ends: () => readonly End[] | null;
}

export class Wake {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #watched: Watched;
  readonly #waiters = new Set<Waiter>();
  readonly #seenEnds = new Map<string, number>();
  #seenVersion: number | null;
  #watcher: FSWatcher | null = null;
  #watchable = true;
  #cancelPoll: (() => void) | null = null;

  constructor(file: string, clock: Clock, watched: Watched) {
    this.#file = file;
    this.#clock = clock;
    this.#watched = watched;
    this.#seenVersion = watched.dataVersion();
  }

  /** Until something may have been appended there, or `wake` was called; it may be for nothing. */
  wait(topic: Topic, partition: number | null): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ topic, partition, resolve });
      this.#watch();
      // Others may have committed between the caller's last look and now.
      this.#check();
      this.#poll();
    });
  }

  wake(topic: Topic, partition: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.topic !== topic || (waiter.partition !== null && waiter.partition !== partition)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  wakeAll(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.resolve();
  }

  close(): void {
    this.#watchable = false;
    this.#watcher?.close();
    this.#cancelPoll?.();
    this.#cancelPoll = null;
    this.wakeAll();
  }

  /** Wakes those whose records came: to wake all for one is to read each partition for one. */
  #check(): void {
    const version = this.#watched.dataVersion();
    if (version === this.#seenVersion) return;
    this.#seenVersion = version;
    const ends = this.#watched.ends();
    if (ends === null) return this.wakeAll();
    for (const { topic, partition, nextOffset } of ends) {
      const place = `${topic}/${partition}`;
      if (this.#seenEnds.get(place) === nextOffset) continue;
      this.#seenEnds.set(place, nextOffset);
      this.wake(topic, partition);
    }
  }

  #watch(): void {
    if (this.#watcher !== null || !this.#watchable) return;
    try {
      this.#watcher = watch(this.#file, { persistent: false }, () => {
        if (this.#waiters.size > 0) this.#check();
      });
      this.#watcher.on("error", () => this.#stopWatching());
    } catch {
      this.#stopWatching();
    }
  }

  /** There are no file events (too many watches, an unusual mount): only the poll is left. */
  #stopWatching(): void {
    this.#watchable = false;
    this.#watcher?.close();
  }

  #poll(): void {
    if (this.#cancelPoll !== null || this.#waiters.size === 0) return;
    this.#cancelPoll = this.#clock.after(pollMs, () => {
      this.#cancelPoll = null;
      if (this.#waiters.size === 0) return;
      this.#check();
      this.#poll();
    });
  }
}
