/** Those who wait for the next outcome of an enrollment. */
import type { Enrollment } from "./enrollment-index.ts";

type Listener = (settled: Enrollment) => void;

export class Waiters {
  readonly #max: number;
  readonly #byKey = new Map<string, Set<Listener>>();
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Returns how to cancel it; null: there are too many. */
  add(key: string, listener: Listener): (() => void) | null {
    if (this.#count >= this.#max) return null;
    const once: Listener = (settled) => listener(settled);
    const listeners = this.#byKey.get(key) ?? new Set<Listener>();
    this.#byKey.set(key, listeners.add(once));
    this.#count++;
    return () => {
      if (!listeners.delete(once)) return;
      this.#count--;
      if (listeners.size === 0 && this.#byKey.get(key) === listeners) this.#byKey.delete(key);
    };
  }

  /** Each in a turn of its own, so that one that throws ends no reading. */
  tell(key: string, settled: Enrollment): void {
    const listeners = this.#byKey.get(key);
    if (listeners === undefined) return;
    this.#byKey.delete(key);
    this.#count -= listeners.size;
    for (const listener of listeners) queueMicrotask(() => listener(settled));
    listeners.clear();
  }
}
