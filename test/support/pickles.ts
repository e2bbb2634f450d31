// Pickles, zip archives and PyTorch checkpoints made by hand, byte by byte, for tests of what reads them.

const u16 = (n: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(n);
  return bytes;
};
const u32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes;
};
const u64 = (n: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes;
};

export type Piece = string | number | Buffer;

/** Opcodes and arguments one after another; a string stands for its Latin-1 bytes. */
export const pickle = (...pieces: readonly Piece[]): Buffer =>
  Buffer.concat(
    pieces.map((piece) =>
      typeof piece === 'number' ? Buffer.of(piece) : typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece,
    ),
  );

export const PROTO2 = '\x80\x02';
/** BINUNICODE. */
export const text = (value: string): Buffer => pickle('X', u32(Buffer.byteLength(value)), Buffer.from(value));
/** BININT. */
export const int = (value: number): Buffer => pickle('J', u32(value >>> 0));
/** GLOBAL. */
export const named = (module: string, name: string): string => `c${module}\n${name}\n`;
/** TUPLE of the pieces between mark and t. */
export const tuple = (...pieces: readonly Piece[]): Buffer => pickle('(', ...pieces, 't');
/** EMPTY_DICT with SETITEMS. */
export const dict = (entries: Readonly<Record<string, Piece>>): Buffer =>
  pickle('}(', ...Object.entries(entries).flatMap(([name, value]) => [text(name), value]), 'u');
/** `callable(*args)` through REDUCE. */
export const call = (module: string, name: string, ...args: readonly Piece[]): Buffer =>
  pickle(named(module, name), tuple(...args), 'R');

export interface TensorPickle {
  readonly key: string;
  readonly elements: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset?: number;
  readonly storage?: string;
}

/** A tensor as PyTorch pickles it. */
export function tensorPickle({
  key,
  elements,
  shape,
  strides,
  offset = 0,
  storage = 'FloatStorage',
}: TensorPickle): Buffer {
  const id = tuple(text('storage'), named('torch', storage), text(key), text('cpu'), int(elements));
  const numbers = (list: readonly number[]): Buffer => tuple(...list.map(int));
  const hooks = pickle(named('collections', 'OrderedDict'), ')R');
  return call(
    'torch._utils',
    '_rebuild_tensor_v2',
    pickle(id, 'Q'),
    int(offset),
    numbers(shape),
    numbers(strides),
    '\x89',
    hooks,
  );
}

export interface ZipFile {
  readonly name: string;
  readonly data: Buffer;
  /** Fields to falsify. */
  readonly method?: number;
  readonly flags?: number;
  readonly stored?: number;
  readonly length?: number;
  readonly localName?: string;
  /** Write sizes and offset as zip64. */
  readonly large?: boolean;
}

/** A zip archive of stored entries, with a zip64 end where asked. */
export function zip(files: readonly ZipFile[], { large = false, count = files.length } = {}): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const {
    name,
    data,
    method = 0,
    flags = 0,
    stored = data.length,
    length = stored,
    localName = name,
    ...rest
  } of files) {
    const head = (sizes: readonly [number, number]): Buffer =>
      Buffer.concat([u16(flags), u16(method), u32(0), u32(0), u32(sizes[0]), u32(sizes[1])]);
    const local = Buffer.concat([
      u32(0x04034b50),
      u16(0),
      head([stored, length]),
      u16(localName.length),
      u16(0),
      Buffer.from(localName),
      data,
    ]);
    const extra = rest.large
      ? Buffer.concat([u16(1), u16(24), u64(length), u64(stored), u64(offset)])
      : Buffer.alloc(0);
    const full = 0xffff_ffff;
    central.push(
      Buffer.concat([
        u32(0x02014b50),
        u16(0),
        u16(0),
        head(rest.large ? [full, full] : [stored, length]),
        u16(name.length),
        u16(extra.length),
        u16(0),
        u16(0),
        u16(0),
        u32(0),
        u32(rest.large ? full : offset),
        Buffer.from(name),
        extra,
      ]),
    );
    parts.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end64 = Buffer.concat([
    u32(0x06064b50),
    u64(44),
    u16(0),
    u16(0),
    u32(0),
    u32(0),
    u64(count),
    u64(count),
    u64(directory.length),
    u64(offset),
    u32(0x07064b50),
    u32(0),
    u64(offset + directory.length),
    u32(1),
  ]);
  const end = Buffer.concat([
    u32(0x06054b50),
    u16(0),
    u16(0),
    u16(large ? 0xffff : count),
    u16(large ? 0xffff : count),
    u32(large ? 0xffff_ffff : directory.length),
    u32(large ? 0xffff_ffff : offset),
    u16(0),
  ]);
  return Buffer.concat([...parts, directory, ...(large ? [end64] : []), end]);
}

/** A checkpoint: the pickle, and storages by key. */
export const checkpoint = (content: Buffer, storages: Readonly<Record<string, ArrayBufferView>> = {}): Buffer =>
  zip([
    { name: 'archive/data.pkl', data: content },
    ...Object.entries(storages).map(([key, { buffer, byteOffset, byteLength }]) => ({
      name: `archive/data/${key}`,
      data: Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength),
    })),
  ]);
