// Reads the arguments of pickle opcodes, never beyond the end.
import { LarmorError } from '../../errors.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const MAX_LONG_BYTES = 8;
const MAX_LINE_BYTES = 512; // a module or class name

/** A position in the bytes of a pickle. */
export class PickleCursor {
  readonly #bytes: Buffer;
  readonly #who: string;
  #at = 0;

  /** @param who Names the file in messages. */
  constructor(bytes: Uint8Array, who: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#who = who;
  }

  /** Where the last read byte lies, for messages. */
  get position(): number {
    return this.#at - 1;
  }

  error(what: string): LarmorError {
    return new LarmorError('ERR_FILE_FORMAT', `${this.#who}: byte ${this.position} of the pickle: ${what}`);
  }

  uint8(): number {
    return this.#take(1)[0];
  }
  uint16(): number {
    return this.#take(2).readUInt16LE(0);
  }
  int32(): number {
    return this.#take(4).readInt32LE(0);
  }
  uint32(): number {
    return this.#take(4).readUInt32LE(0);
  }
  /** A length of eight bytes. */
  uint64(): number {
    return Number(this.#take(8).readBigUInt64LE(0));
  }
  /** Big-endian, as pickles have it. */
  float64(): number {
    return this.#take(8).readDoubleBE(0);
  }

  /** A two's complement integer of `length` bytes: a number where exact, else a bigint. */
  long(length: number): number | bigint {
    if (length > MAX_LONG_BYTES) throw this.error(`an integer of ${length} bytes; the limit is ${MAX_LONG_BYTES}`);
    if (length === 0) return 0;
    const value = BigInt.asIntN(8 * length, BigInt(`0x${Buffer.from(this.#take(length)).reverse().toString('hex')}`));
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  text(length: number): string {
    const bytes = this.#take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.error('text that is not UTF-8');
    }
  }

  /** Text up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > MAX_LINE_BYTES) throw this.error('a name without an end');
    const text = this.text(end - this.#at);
    this.#at += 1;
    return text;
  }

  /** A view of `length` bytes. */
  bytes(length: number): Uint8Array {
    return new Uint8Array(this.#take(length));
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at)
      throw this.error(`${length} bytes are announced, ${this.#bytes.length - this.#at} are left`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
