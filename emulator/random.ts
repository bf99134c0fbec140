/** Seeded randomness: one seed, one sequence, on every machine. */

/** Uniform in [0, 1). */
export type Random = () => number;

/** The sfc32 generator; uniform in [0, 1) with 32 bits. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = Math.floor(seed / 0x1_0000_0000) | 0;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  // The first values still resemble the seed.
  for (let round = 0; round < 15; round += 1) next();
  return next;
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A version 4 UUID, lower case, from four draws. */
export function randomUuid(random: Random): string {
  const hex = (word: number, shift: number) => hexBytes[(word >>> shift) & 0xff]!;
  const draw = () => Math.floor(random() * 0x1_0000_0000) >>> 0;
  const one = draw();
  const two = (draw() & 0xffff0fff) | 0x4000;
  const three = (draw() & 0x3fffffff) | 0x80000000;
  const four = draw();
  return (
    hex(one, 24) +
    hex(one, 16) +
    hex(one, 8) +
    hex(one, 0) +
    "-" +
    hex(two, 24) +
    hex(two, 16) +
    "-" +
    hex(two, 8) +
    hex(two, 0) +
    "-" +
    hex(three, 24) +
    hex(three, 16) +
    "-" +
    hex(three, 8) +
    hex(three, 0) +
    hex(four, 24) +
    hex(four, 16) +
    hex(four, 8) +
    hex(four, 0)
  );
}
