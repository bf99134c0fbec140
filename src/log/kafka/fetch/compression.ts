/**
 * Decompression of record batches. Producers choose the codec, so all four that Kafka knows have to be readable;
 * what this client appends is not compressed.
 */
import { gunzipSync, zstdDecompressSync } from "node:zlib";

/** No batch that a broker takes expands to more. */
const maxOutputBytes = 256 * 1024 * 1024;

/** Bytes that the codec can't read, or an unknown codec. */
class CompressionError extends Error {}

/** @param codec the three lowest bits of a batch's attributes. */
export function decompress(codec: number, input: Buffer): Buffer {
  switch (codec) {
    case 0:
      return input;
    case 1:
      return gunzipSync(input, { maxOutputLength: maxOutputBytes });
    case 2:
      return unsnappy(input);
    case 3:
      return unlz4(input);
    case 4:
      return zstdDecompressSync(input, { maxOutputLength: maxOutputBytes });
    default:
      throw new CompressionError(`compression codec ${codec} is not known`);
  }
}

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);

/** Java's producer frames snappy blocks (magic, two versions, then sized blocks); others send one bare block. */
function unsnappy(input: Buffer): Buffer {
  if (!input.subarray(0, 8).equals(xerialMagic)) return unsnappyBlock(input);
  const parts: Buffer[] = [];
  for (let at = 16; at < input.length; ) {
    const size = at + 4 <= input.length ? input.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (at + 4 + size > input.length) throw new CompressionError("a snappy block is cut short");
    parts.push(unsnappyBlock(input.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return Buffer.concat(parts);
}

function unsnappyBlock(input: Buffer): Buffer {
  let at = 0;
  let size = 0;
  for (let scale = 1; ; scale *= 0x80) {
    const byte = input[at++];
    if (byte === undefined || scale > 2 ** 28) throw new CompressionError("a snappy block has no length");
    size += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  const output = new Expansion(size);
  while (at < input.length) {
    const tag = input[at++]!;
    if ((tag & 3) === 0) {
      let length = tag >> 2;
      if (length >= 60) {
        const bytes = length - 59;
        if (at + bytes > input.length) throw new CompressionError("a snappy block is cut short");
        length = input.readUIntLE(at, bytes);
        at += bytes;
      }
      output.literal(input, at, length + 1);
      at += length + 1;
      continue;
    }
    const offsetBytes = [0, 1, 2, 4][tag & 3]!;
    if (at + offsetBytes > input.length) throw new CompressionError("a snappy block is cut short");
    const low = input.readUIntLE(at, offsetBytes);
    at += offsetBytes;
    if ((tag & 3) === 1) output.copy(((tag >> 5) << 8) | low, ((tag >> 2) & 7) + 4);
    else output.copy(low, (tag >> 2) + 1);
  }
  return output.finish();
}

const lz4MaxBlock = [0, 0, 0, 0, 64, 256, 1024, 4096].map((kib) => kib * 1024);

/** The LZ4 frame format; checksums are left to the batch's own CRC. */
function unlz4(input: Buffer): Buffer {
  if (input.length < 7 || input.readUInt32LE(0) !== 0x184d2204)
    throw new CompressionError("not an LZ4 frame");
  const flags = input[4]!;
  const maxBlock = lz4MaxBlock[(input[5]! >> 4) & 7]!;
  let at = 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  const output = new Expansion(null, maxBlock);
  for (;;) {
    if (at + 4 > input.length) throw new CompressionError("an LZ4 frame is cut short");
    const word = input.readUInt32LE(at);
    at += 4;
    if (word === 0) return output.finish();
    const size = word & 0x7fffffff;
    if (at + size > input.length) throw new CompressionError("an LZ4 block is cut short");
    if (word >= 0x80000000) output.literal(input, at, size);
    else unlz4Block(input.subarray(at, at + size), output);
    at += size + (flags & 16 ? 4 : 0);
  }
}

function unlz4Block(input: Buffer, output: Expansion): void {
  let at = 0;
  const lengthFrom = (start: number): number => {
    let length = start;
    if (start === 15) {
      let byte: number | undefined;
      do {
        byte = input[at++];
        if (byte === undefined) throw new CompressionError("an LZ4 block is cut short");
        length += byte;
      } while (byte === 255);
    }
    return length;
  };
  while (at < input.length) {
    const token = input[at++]!;
    const literals = lengthFrom(token >> 4);
    output.literal(input, at, literals);
    at += literals;
    if (at >= input.length) return;
    if (at + 2 > input.length) throw new CompressionError("an LZ4 block is cut short");
    const offset = input.readUInt16LE(at);
    at += 2;
    output.copy(offset, lengthFrom(token & 15) + 4);
  }
}

/** Output that copies from itself, of a known size or growing. */
class Expansion {
  #buffer: Buffer;
  #end = 0;
  readonly #fixed: boolean;

  constructor(size: number | null, firstSize = 0) {
    if ((size ?? 0) > maxOutputBytes)
      throw new CompressionError("a block says that it expands without measure");
    this.#fixed = size !== null;
    this.#buffer = Buffer.allocUnsafe(size ?? firstSize);
  }

  #room(size: number): void {
    const needed = this.#end + size;
    if (needed <= this.#buffer.length) return;
    if (this.#fixed || needed > maxOutputBytes)
      throw new CompressionError("a block expands further than it may");
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }

  literal(input: Buffer, at: number, size: number): void {
    if (at + size > input.length) throw new CompressionError("a literal is cut short");
    this.#room(size);
    input.copy(this.#buffer, this.#end, at, at + size);
    this.#end += size;
  }

  copy(distance: number, size: number): void {
    if (distance === 0 || distance > this.#end) throw new CompressionError("a copy from before the start");
    this.#room(size);
    // Byte by byte on purpose: source and target may overlap, which repeats a pattern.
    for (let index = 0; index < size; index += 1) {
      this.#buffer[this.#end] = this.#buffer[this.#end - distance]!;
      this.#end += 1;
    }
  }

  finish(): Buffer {
    if (this.#fixed && this.#end !== this.#buffer.length)
      throw new CompressionError("a block ends too early");
    return this.#buffer.subarray(0, this.#end);
  }
}
