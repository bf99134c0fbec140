/** Reading and writing the primitive types of Kafka's protocol. 64-bit integers are safe integers here. */

export class ByteWriter {
  #buffer: Buffer;
  #end = 0;

  constructor(sizeHint = 1024) {
    this.#buffer = Buffer.allocUnsafe(sizeHint);
  }

  /** What was written so far; shares memory with later writes. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  get length(): number {
    return this.#end;
  }

  #room(size: number): number {
    const at = this.#end;
    if (at + size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(at + size, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#end = at + size;
    return at;
  }

  int8(value: number): this {
    const at = this.#room(1);
    this.#buffer.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#room(2);
    this.#buffer.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#room(4);
    this.#buffer.writeInt32BE(value, at);
    return this;
  }

  uint32(value: number): this {
    const at = this.#room(4);
    this.#buffer.writeUInt32BE(value, at);
    return this;
  }

  int64(value: number): this {
    const at = this.#room(8);
    this.#buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
    this.#buffer.writeUInt32BE(
      value >= 0 ? value % 0x1_0000_0000 : Number(BigInt.asUintN(32, BigInt(value))),
      at + 4,
    );
    return this;
  }

  /** Length-prefixed by int16; null is length -1. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const size = Buffer.byteLength(value);
    this.int16(size);
    const at = this.#room(size);
    this.#buffer.write(value, at);
    return this;
  }

  raw(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  /** A zigzag-coded integer of at most 53 bits. */
  varint(value: number): this {
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    while (rest >= 0x80) {
      this.int8((((rest % 0x80) | 0x80) << 24) >> 24);
      rest = Math.floor(rest / 0x80);
    }
    return this.int8(rest);
  }

  /** An integer from 0 on, seven bits a byte. */
  uvarint(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.int8((((rest % 0x80) | 0x80) << 24) >> 24);
      rest = Math.floor(rest / 0x80);
    }
    return this.int8(rest);
  }

  /** As `string`, in the flexible versions of requests: length + 1 by a uvarint, 0 for null. */
  compactString(value: string | null): this {
    if (value === null) return this.uvarint(0);
    const size = Buffer.byteLength(value);
    const at = this.uvarint(size + 1).#room(size);
    this.#buffer.write(value, at);
    return this;
  }

  /** Text of 32 hexadecimal digits with dashes. */
  uuid(value: string): this {
    return this.raw(Buffer.from(value.replaceAll("-", ""), "hex"));
  }

  /** Length-prefixed by a varint; null is length -1. */
  varBytes(value: Uint8Array | null): this {
    return value === null ? this.varint(-1) : this.varint(value.length).raw(value);
  }

  /** UTF-8, length-prefixed by a varint. */
  varString(value: string): this {
    const size = Buffer.byteLength(value);
    const at = this.varint(size).#room(size);
    this.#buffer.write(value, at);
    return this;
  }
}

/** How many bytes `varint` writes for a value that isn't negative. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value * 2; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Thrown where bytes end too early; the caller says what they were to be. */
class BytesEnded extends Error {}

export class ByteReader {
  readonly buffer: Buffer;
  at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  get left(): number {
    return this.buffer.length - this.at;
  }

  #take(size: number): number {
    const at = this.at;
    if (size < 0 || at + size > this.buffer.length)
      throw new BytesEnded(`${size} bytes wanted, ${this.left} left`);
    this.at = at + size;
    return at;
  }

  int8(): number {
    return this.buffer.readInt8(this.#take(1));
  }

  int16(): number {
    return this.buffer.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.#take(4));
  }

  uint32(): number {
    return this.buffer.readUInt32BE(this.#take(4));
  }

  int64(): number {
    const at = this.#take(8);
    return this.buffer.readInt32BE(at) * 0x1_0000_0000 + this.buffer.readUInt32BE(at + 4);
  }

  string(): string | null {
    const size = this.int16();
    if (size < 0) return null;
    const at = this.#take(size);
    return this.buffer.toString("utf8", at, at + size);
  }

  /** Shares memory with the buffer that is read. */
  raw(size: number): Buffer {
    const at = this.#take(size);
    return this.buffer.subarray(at, at + size);
  }

  array<T>(read: () => T): T[] {
    const count = this.int32();
    const items: T[] = [];
    for (let index = 0; index < count; index += 1) items.push(read());
    return items;
  }

  uvarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      if (scale > 2 ** 28) throw new BytesEnded("a length of more than five bytes");
      const byte = this.buffer[this.#take(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  compactString(): string | null {
    const size = this.uvarint() - 1;
    if (size < 0) return null;
    const at = this.#take(size);
    return this.buffer.toString("utf8", at, at + size);
  }

  /** No difference between null and empty. */
  compactArray<T>(read: () => T): T[] {
    const count = this.uvarint() - 1;
    const items: T[] = [];
    for (let index = 0; index < count; index += 1) items.push(read());
    return items;
  }

  /** Null: all bits zero, which stands for "none". */
  uuid(): string | null {
    const hex = this.raw(16).toString("hex");
    if (/^0+$/.test(hex)) return null;
    return [0, 8, 12, 16, 20].map((at, index, all) => hex.slice(at, all[index + 1])).join("-");
  }

  /** The optional fields at the end of a flexible structure; those that `read` leaves are skipped. */
  tags(read: (tag: number, field: ByteReader) => void = () => {}): void {
    const count = this.uvarint();
    for (let index = 0; index < count; index += 1) {
      const tag = this.uvarint();
      read(tag, new ByteReader(this.raw(this.uvarint())));
    }
  }

  varint(): number {
    const first = this.buffer[this.at];
    // Nearly all of a record's lengths and deltas are one byte.
    if (first !== undefined && first < 0x80) {
      this.at += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      if (scale > 2 ** 63) throw new BytesEnded("a varint of more than ten bytes");
      const byte = this.buffer[this.#take(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Length-prefixed by a varint, -1 for null. A copy: what is kept for long does not keep the bytes around it. */
  varBytes(): Buffer | null {
    const size = this.varint();
    if (size < 0) return null;
    const at = this.#take(size);
    const own = Buffer.allocUnsafe(size);
    this.buffer.copy(own, 0, at, at + size);
    return own;
  }

  /** UTF-8, length-prefixed by a varint. */
  varString(): string | null {
    const size = this.varint();
    if (size < 0) return null;
    const at = this.#take(size);
    return this.buffer.toString("utf8", at, at + size);
  }
}
