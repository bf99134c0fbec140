/** Unique names, from the Random port so that a simulation repeats them. */
import type { Random } from "../ports.ts";

/** A version 4 UUID. */
export function randomUuid(random: Random): string {
  let hex = "";
  for (let i = 0; i < 8; i++)
    hex += Math.floor(random() * 0x1_0000)
      .toString(16)
      .padStart(4, "0");
  const variant = "89ab"[Math.floor(random() * 4)];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** Version 8 UUIDs: a random part that they share, and a count. Drawing each one would cost too much for each create. */
export function countedUuids(random: Random): () => string {
  const drawn = randomUuid(random);
  const shared = `${drawn.slice(0, 14)}8${drawn.slice(15, 24)}`;
  let count = 0;
  return () => shared + (count++).toString(16).padStart(12, "0");
}
