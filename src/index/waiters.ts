/** Those who wait for the next outcome of an enrollment. */
import type { Enrollment } from "./enrollment-index.ts";

const defaultWaitersMax = 10_000;

type Find = (key: string) => Enrollment | null;
type Listener = (settled: Enrollment) => void;

export class Waiters {
  readonly #max: number;
  readonly #byKey = new Map<string, Set<Listener>>();
  readonly #onCount: (count: number) => void;
  #count = 0;

  constructor(max: number = defaultWaitersMax, onCount: (count: number) => void = () => {}) {
    this.#max = max;
    this.#onCount = onCount;
  }

  get count(): number {
    return this.#count;
  }

  /** Returns how to cancel it; null: there are too many. */
  add(key: string, listener: Listener): (() => void) | null {
    if (this.#count >= this.#max) return null;
    const once: Listener = (settled) => listener(settled);
    const listeners = this.#byKey.get(key) ?? new Set<Listener>();
    this.#byKey.set(key, listeners.add(once));
    this.#counted(1);
    return () => {
      if (!listeners.delete(once)) return;
      this.#counted(-1);
      if (listeners.size === 0 && this.#byKey.get(key) === listeners) this.#byKey.delete(key);
    };
  }

  /** Of the keys for which an outcome was read. */
  tellOutcomes(keys: Iterable<string>, find: Find): void {
    for (const key of keys) if (this.#byKey.has(key)) this.#tellIf(key, find(key), () => true);
  }

  /** The first load, which reports no outcomes, has ended. */
  tellLoaded(find: Find): void {
    for (const key of [...this.#byKey.keys()])
      this.#tellIf(key, find(key), ({ state }) => state === "registered");
  }

  #tellIf(key: string, found: Enrollment | null, isTold: (found: Enrollment) => boolean): void {
    if (found !== null && isTold(found)) this.#tell(key, found);
  }

  /** Each in a turn of its own, so that one that throws ends no reading. */
  #tell(key: string, settled: Enrollment): void {
    const listeners = this.#byKey.get(key);
    if (listeners === undefined) return;
    this.#byKey.delete(key);
    this.#counted(-listeners.size);
    for (const listener of listeners) queueMicrotask(() => listener(settled));
    listeners.clear();
  }

  #counted(by: number): void {
    this.#count += by;
    this.#onCount(this.#count);
  }
}
