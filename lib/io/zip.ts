// Reads zip archives as torch.save writes them: entries stored uncompressed, zip64 where large. Stricter than the format.
import type { FileHandle } from 'node:fs/promises';
import { LarmorError } from '../errors.js';
import { readBytes } from './input-file.js';

const END = { signature: 0x06054b50, bytes: 22 };
const END64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR64 = { signature: 0x07064b50, bytes: 20 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const ZIP64_FIELD = 1;
const ENCRYPTED = 1;
const FULL16 = 0xffff;
const FULL32 = 0xffff_ffff;

const MAX_COMMENT = 0xffff;
const MAX_ENTRIES = 100_000; // some hundred tensors are usual
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;

interface Entry {
  readonly name: string;
  /** Where its local header begins. */
  readonly header: number;
  readonly bytes: number;
}

type Corrupt = (what: string) => LarmorError;

interface Directory {
  readonly offset: number;
  readonly bytes: number;
  readonly entries: number;
}

/**
 * An archive opened for reading. Compressed and encrypted entries, names that could leave a folder, overlapping entries and sizes
 * beyond the file are refused, so that no entry is larger than its share of the file.
 */
export class ZipArchive {
  readonly #file: FileHandle;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #end: number;
  readonly #corrupt: Corrupt;

  private constructor(file: FileHandle, entries: ReadonlyMap<string, Entry>, end: number, corrupt: Corrupt) {
    this.#file = file;
    this.#entries = entries;
    this.#end = end;
    this.#corrupt = corrupt;
  }

  /** Reads the directory of a file of `size` bytes. @throws LarmorError `ERR_FILE_FORMAT`. */
  static async open(file: FileHandle, size: number, path: string): Promise<ZipArchive> {
    const corrupt: Corrupt = (what) =>
      new LarmorError('ERR_FILE_FORMAT', `${path} is not a valid zip archive: ${what}`);
    const directory = await findDirectory(file, size, corrupt);
    const bytes = await readBytes(file, directory.offset, directory.bytes);
    const entries = parseDirectory(Buffer.from(bytes.buffer), directory, corrupt);
    return new ZipArchive(file, new Map(entries.map((entry) => [entry.name, entry])), directory.offset, corrupt);
  }

  /** Names of the entries, in the order of the directory. */
  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Length of an entry, undefined where there is none of that name. */
  size(name: string): number | undefined {
    return this.#entries.get(name)?.bytes;
  }

  /** The bytes of an entry. @throws LarmorError `ERR_FILE_FORMAT` when missing or when the file contradicts its directory. */
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.#entries.get(name);
    if (!entry) throw this.#corrupt(`it holds no "${name}"`);
    const header = Buffer.from((await readBytes(this.#file, entry.header, LOCAL.bytes)).buffer);
    if (header.readUInt32LE(0) !== LOCAL.signature) throw this.#corrupt(`no entry begins where "${name}" should`);
    const nameBytes = await readBytes(this.#file, entry.header + LOCAL.bytes, header.readUInt16LE(26));
    if (Buffer.from(nameBytes).toString() !== name) throw this.#corrupt(`"${name}" bears another name at its place`);
    const begin = entry.header + LOCAL.bytes + nameBytes.length + header.readUInt16LE(28);
    if (begin + entry.bytes > this.#end) throw this.#corrupt(`"${name}" reaches beyond its place`);
    return readBytes(this.#file, begin, entry.bytes);
  }
}

async function findDirectory(file: FileHandle, size: number, corrupt: Corrupt): Promise<Directory> {
  const tailBytes = Math.min(size, END.bytes + MAX_COMMENT + LOCATOR64.bytes);
  const tail = Buffer.from((await readBytes(file, size - tailBytes, tailBytes)).buffer);
  let end = tail.length - END.bytes;
  const isEnd = (at: number): boolean =>
    tail.readUInt32LE(at) === END.signature && at + END.bytes + tail.readUInt16LE(at + 20) === tail.length;
  while (end >= 0 && !isEnd(end)) end -= 1;
  if (end < 0) throw corrupt('it has no directory; the file may be cut short');
  if (tail.readUInt16LE(end + 4) % FULL16 !== 0 || tail.readUInt16LE(end + 6) % FULL16 !== 0)
    throw corrupt('it is split over several files');
  const entries = tail.readUInt16LE(end + 10);
  const bytes = tail.readUInt32LE(end + 12);
  const offset = tail.readUInt32LE(end + 16);
  const start = size - tailBytes + end;
  const large = entries === FULL16 || bytes === FULL32 || offset === FULL32;
  const directory = large ? await findDirectory64(file, tail, end, size, corrupt) : { entries, bytes, offset };
  if (directory.entries > MAX_ENTRIES || directory.bytes > MAX_DIRECTORY_BYTES)
    throw corrupt(`it lists ${directory.entries} entries in ${directory.bytes} bytes, the limit is ${MAX_ENTRIES}`);
  if (directory.offset + directory.bytes > start) throw corrupt('its directory reaches beyond the file');
  return directory;
}

async function findDirectory64(
  file: FileHandle,
  tail: Buffer,
  end: number,
  size: number,
  corrupt: Corrupt,
): Promise<Directory> {
  const locator = end - LOCATOR64.bytes;
  if (locator < 0 || tail.readUInt32LE(locator) !== LOCATOR64.signature)
    throw corrupt('its zip64 directory is missing');
  const at = natural(tail, locator + 8, corrupt);
  if (at + END64.bytes > size) throw corrupt('its zip64 directory lies beyond the file');
  const record = Buffer.from((await readBytes(file, at, END64.bytes)).buffer);
  if (record.readUInt32LE(0) !== END64.signature) throw corrupt('its zip64 directory is missing');
  const [entries, bytes, offset] = [32, 40, 48].map((field) => natural(record, field, corrupt));
  return { entries, bytes, offset };
}

function natural(bytes: Buffer, at: number, corrupt: Corrupt): number {
  const value = Number(bytes.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value)) throw corrupt('it states an impossible size');
  return value;
}

function parseDirectory(bytes: Buffer, { offset, entries: count }: Directory, corrupt: Corrupt): Entry[] {
  const entries: Entry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL.bytes > bytes.length || bytes.readUInt32LE(at) !== CENTRAL.signature)
      throw corrupt(`entry ${i} of its directory is broken`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const next = at + CENTRAL.bytes + nameBytes + extraBytes + commentBytes;
    if (next > bytes.length) throw corrupt(`entry ${i} of its directory is broken`);
    const entry = parseEntry(bytes.subarray(at, next), corrupt);
    if (names.has(entry.name)) throw corrupt(`it holds "${entry.name}" twice`);
    names.add(entry.name);
    entries.push(entry);
    at = next;
  }
  if (at !== bytes.length) throw corrupt('its directory holds more than its entries');
  let free = 0;
  for (const { name, header, bytes: length } of entries.toSorted((a, b) => a.header - b.header)) {
    if (header < free) throw corrupt(`"${name}" overlaps another entry`);
    free = header + LOCAL.bytes + length;
    if (free > offset) throw corrupt(`"${name}" of ${length} bytes reaches beyond the file`);
  }
  return entries;
}

function parseEntry(record: Buffer, corrupt: Corrupt): Entry {
  const nameEnd = CENTRAL.bytes + record.readUInt16LE(28);
  const name = record.subarray(CENTRAL.bytes, nameEnd).toString();
  const unsafe = name === '' || /^[/\\]|^[a-z]:|\\|\0|\uFFFD|(^|\/)\.\.(\/|$)/i.test(name);
  if (unsafe) throw corrupt(`it holds an entry of the name ${JSON.stringify(name)}`);
  if (record.readUInt16LE(8) & ENCRYPTED) throw corrupt(`"${name}" is encrypted`);
  if (record.readUInt16LE(10) !== 0)
    throw corrupt(`"${name}" is compressed, as torch.save never does; save the checkpoint again with PyTorch`);
  const extra = record.subarray(nameEnd, nameEnd + record.readUInt16LE(30));
  const large = zip64Numbers(extra, corrupt);
  const number = (field: number): number => {
    const value = record.readUInt32LE(field);
    return value === FULL32 ? (large.shift() ?? value) : value;
  };
  // In the order in which the zip64 field lists them.
  const [length, stored, header] = [number(24), number(20), number(42)];
  if (length !== stored) throw corrupt(`"${name}" of ${length} bytes is stored in ${stored}`);
  return { name, header, bytes: length };
}

/** The numbers of the zip64 extra field, for those that do not fit 32 bits. */
function zip64Numbers(extra: Buffer, corrupt: Corrupt): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) throw corrupt('an entry of its directory is broken');
    if (extra.readUInt16LE(at) === ZIP64_FIELD) {
      const numbers: number[] = [];
      for (let i = at + 4; i + 8 <= end; i += 8) numbers.push(natural(extra, i, corrupt));
      return numbers;
    }
    at = end;
  }
  return [];
}
