// Named tensors on disk in the safetensors format: 8-byte little-endian header length, JSON header, raw little-endian data.
import type { FileHandle } from 'node:fs/promises';
import { points, type RealArray, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { writeFileAtomically } from './atomic-write.js';
import { readBytes, withInput } from './input-file.js';

/** Arrays that hold the elements of each type. */
export const ELEMENTS = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** Element types of the format, by its names for them. */
export type StoredDtype = keyof typeof ELEMENTS;

/** A tensor of a file: C order, last axis fastest. F16 and BF16 are kept as their bits, BOOL as 0 and 1. */
export type StoredTensor = {
  [D in StoredDtype]: { readonly dtype: D; readonly shape: Shape; readonly data: InstanceType<(typeof ELEMENTS)[D]> };
}[StoredDtype];

/** The content of a safetensors file. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const MAX_HEADER_BYTES = 16 * 2 ** 20; // tens of thousands of tensors; more is a corrupt length

interface Entry {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. The tensors are views of one buffer wherever their alignment allows.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when truncated or corrupt.
 */
export function readSafetensors(path: string): Promise<TensorFile> {
  return withInput(path, (file, bytes) => readFrom(file, bytes, path));
}

async function readFrom(file: FileHandle, size: number, path: string): Promise<TensorFile> {
  const corrupt = corruption(path);
  if (size < 8) throw corrupt(`${size} bytes cannot hold the 8-byte header length`);
  const lengthField = await readBytes(file, 0, 8);
  const headerBytes = Number(new DataView(lengthField.buffer).getBigUint64(0, true));
  if (headerBytes > Math.min(size - 8, MAX_HEADER_BYTES))
    throw corrupt(`the header is said to take ${headerBytes} bytes, the file has ${size} and the limit is 16 MiB`);
  const { metadata, entries } = parseHeader(await readBytes(file, 8, headerBytes), corrupt);

  const dataBytes = size - 8 - headerBytes;
  let expected = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected) throw corrupt(`tensor "${name}" begins at byte ${begin}, wanted ${expected}`);
    expected = end;
  }
  if (expected !== dataBytes) throw corrupt(`the tensors take ${expected} bytes, the file holds ${dataBytes}`);

  const { buffer } = await readBytes(file, 8 + headerBytes, dataBytes);
  return { metadata, tensors: new Map(entries.map((entry) => [entry.name, viewTensor(buffer, entry)])) };
}

function corruption(path: string): (what: string) => LarmorError {
  return (what) => new LarmorError('ERR_FILE_FORMAT', `${path} is not a valid safetensors file: ${what}`);
}

function parseHeader(
  bytes: Uint8Array,
  corrupt: (what: string) => LarmorError,
): { metadata: Record<string, string>; entries: Entry[] } {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw corrupt('the header is not JSON');
  }
  if (!isRecord(header)) throw corrupt('the header is not a JSON object');
  const { __metadata__: metadata = {}, ...tensors } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string'))
    throw corrupt('__metadata__ must map names to strings');
  const entries = Object.entries(tensors).map(([name, entry]) => parseEntry(name, entry, corrupt));
  return { metadata: metadata as Record<string, string>, entries };
}

function parseEntry(name: string, entry: unknown, corrupt: (what: string) => LarmorError): Entry {
  if (!isRecord(entry)) throw corrupt(`tensor "${name}" is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENTS, dtype))
    throw corrupt(`tensor "${name}" has dtype ${JSON.stringify(dtype)}, known are ${Object.keys(ELEMENTS).join(', ')}`);
  if (!isNaturals(shape)) throw corrupt(`tensor "${name}" has no valid shape`);
  if (!isNaturals(offsets) || offsets.length !== 2) throw corrupt(`tensor "${name}" has no valid data_offsets`);
  const [begin, end] = offsets as [number, number];
  const bytes = points(shape) * ELEMENTS[dtype as StoredDtype].BYTES_PER_ELEMENT;
  if (end - begin !== bytes) throw corrupt(`tensor "${name}" needs ${bytes} bytes, its offsets span ${end - begin}`);
  return { name, dtype: dtype as StoredDtype, shape, begin, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function viewTensor(buffer: ArrayBuffer, { dtype, shape, begin, end }: Entry): StoredTensor {
  const Elements = ELEMENTS[dtype];
  const aligned = begin % Elements.BYTES_PER_ELEMENT === 0;
  const data = aligned ? new Elements(buffer, begin, points(shape)) : new Elements(buffer.slice(begin, end));
  return { dtype, shape, data } as StoredTensor;
}

/**
 * Writes a safetensors file, whole or not at all. Larger elements come first, so every tensor is aligned.
 *
 * @throws LarmorError `ERR_SHAPE` when data and shape disagree; `ERR_FILE_WRITE`.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomically(path, encodeSafetensors(tensors, metadata));
}

/** The bytes of a safetensors file as blocks to write one after another; the tensors are not copied. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): ArrayBufferView[] {
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (data.length !== points(shape))
      throw new LarmorError('ERR_SHAPE', `tensor "${name}" of shape [${shape}] holds ${data.length} elements`);
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 * Math.ceil(text.length / 8), ' '); // keeps the data on an 8-byte boundary
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return [length, padded, ...ordered.map(([, tensor]) => tensor.data)];
}

/** The float32 tensor `name` of `file`. @throws LarmorError `ERR_FILE_FORMAT` when missing or of another dtype. */
export function float32Tensor(file: TensorFile, name: string): RealArray {
  const tensor = file.tensors.get(name);
  if (tensor?.dtype !== 'F32')
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `tensor "${name}" must be F32, got ${tensor?.dtype ?? 'none of that name'}`,
    );
  return { data: tensor.data, shape: tensor.shape };
}
