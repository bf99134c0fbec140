/** Seeded randomness for sample data: the same seed gives the same samples on every machine. */
import type { Random } from "../../ports.ts";

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export function randomUuid(random: Random): string {
  const digit = () => Math.floor(random() * 16).toString(16);
  const variant = () => "89ab"[Math.floor(random() * 4)];
  return "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx".replace(/[xv]/g, (place) =>
    place === "x" ? digit() : variant()!,
  );
}

/** In place, Fisher-Yates. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}
