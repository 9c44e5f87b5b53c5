const INITIAL_BYTES = 16 * 1024;
/** A number of 53 bits in seven of them a byte. */
const LONGEST_VARINT = 8;

/** Bytes that are added one after another, with the words of Thrift's compact protocol. */
export class GrowingBytes {
  length = 0;
  private buffer = Buffer.allocUnsafe(INITIAL_BYTES);

  /** What was added so far. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  byte(value: number): this {
    this.ensure(1);
    this.buffer[this.length] = value;
    this.length += 1;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.ensure(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** Little-endian. */
  uint32(value: number): this {
    this.ensure(4);
    this.length = this.buffer.writeUInt32LE(value, this.length);
    return this;
  }

  /** The head of a field: how many ids it comes after the one before (15 at most), and its kind. */
  field(distance: number, kind: number): this {
    return this.byte((distance << 4) | kind);
  }

  /** The head of a list. */
  list(size: number, kind: number): this {
    if (size < 15) return this.byte((size << 4) | kind);
    return this.byte(0xf0 | kind).varint(size);
  }

  /** A number that is not negative, as those are written that may be. */
  zigzag(value: number): this {
    return this.varint(value * 2);
  }

  /** Bytes after their number. */
  binary(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  text(value: string): this {
    return this.binary(Buffer.from(value, 'utf8'));
  }

  private varint(value: number): this {
    this.ensure(LONGEST_VARINT);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length] = (rest % 0x80) | 0x80;
      this.length += 1;
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest);
  }

  private ensure(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + more));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}
