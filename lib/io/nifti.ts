// Magnitude volumes from NIfTI-1 and NIfTI-2 files, plain or gzipped.
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { isNIFTI1, isNIFTI2, readHeader } from 'nifti-reader-js';
import { type RealArray, realZeros } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { withInput } from './input-file.js';

/** A volume and the size of its voxels. */
export interface NiftiVolume {
  /** [slice, y, x]: the file's first axis is x, its third the slice; no reorientation. */
  readonly volume: RealArray;
  /** Voxel edges along slice, y and x in the file's unit, which is nearly always millimetres; 1 where not stated. */
  readonly spacing: readonly [number, number, number];
}

const ELEMENTS = {
  2: Uint8Array,
  4: Int16Array,
  8: Int32Array,
  16: Float32Array,
  64: Float64Array,
  256: Int8Array,
  512: Uint16Array,
  768: Uint32Array,
} as const;

const HEADER_BYTES = { nifti1: 348, nifti2: 540 };
const MAX_BYTES = 4 * 2 ** 30; // a volume of this size, unpacked, is no magnitude image

/**
 * Reads a three-dimensional volume, scaled by the header's slope and intercept.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when the file is truncated, corrupt, no NIfTI file, not
 *   three-dimensional or of an element type without a magnitude; `ERR_NOT_FINITE` for NaN or infinity.
 */
export async function readNifti(path: string): Promise<NiftiVolume> {
  const stored = await withInput(path, (file) => file.readFile());
  return decode(path, await unpacked(path, stored));
}

function corrupt(path: string, what: string, cause?: unknown): LarmorError {
  return new LarmorError('ERR_FILE_FORMAT', `${path} is not a NIfTI volume larmor can read: ${what}`, { cause });
}

/** The file's bytes in memory of their own, unzipped if need be. */
async function unpacked(path: string, stored: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  if (stored[0] !== 0x1f || stored[1] !== 0x8b) return Uint8Array.from(stored);
  try {
    return Uint8Array.from(await promisify(gunzip)(stored, { maxOutputLength: MAX_BYTES }));
  } catch (error) {
    throw corrupt(path, `its gzip stream is damaged or too long (${(error as Error).message})`, error);
  }
}

function decode(path: string, bytes: Uint8Array<ArrayBuffer>): NiftiVolume {
  const { buffer } = bytes;
  const kind = isNIFTI1(buffer) ? 'nifti1' : isNIFTI2(buffer) ? 'nifti2' : undefined;
  if (!kind || bytes.length < HEADER_BYTES[kind]) throw corrupt(path, 'its header is missing or cut short');
  // The header alone: the library would follow the lengths of extensions wherever they lead.
  const header = readHeader(buffer.slice(0, HEADER_BYTES[kind]));

  const [rank = 0, x = 0, y = 0, slices = 1, ...rest] = header.dims;
  const shape = [rank < 3 ? 1 : slices, y, x];
  const flat = rank >= 2 && rank <= 7 && rest.slice(0, Math.max(0, rank - 3)).every((n) => n === 1);
  if (!flat || !shape.every((n) => Number.isInteger(n) && n > 0))
    throw corrupt(path, `it must have three dimensions of one voxel or more, got [${header.dims.slice(1, 1 + rank)}]`);
  const Elements = ELEMENTS[header.datatypeCode as keyof typeof ELEMENTS];
  if (!Elements) throw corrupt(path, `its element type ${header.datatypeCode} is complex, coloured or unknown`);
  const length = shape.reduce((product, n) => product * n);
  const from = header.vox_offset;
  const end = from + length * Elements.BYTES_PER_ELEMENT;
  if (!(Number.isInteger(from) && from >= HEADER_BYTES[kind] && end <= bytes.length))
    throw corrupt(path, `its voxels should lie at bytes ${from} to ${end}, but it has ${bytes.length}`);

  const values = new Elements(inHostOrder(buffer.slice(from, end), Elements.BYTES_PER_ELEMENT, header.littleEndian));
  // A slope of 0 means the values are not scaled.
  const scaled = header.scl_slope !== 0 && Number.isFinite(header.scl_slope);
  const slope = scaled ? header.scl_slope : 1;
  const intercept = scaled && Number.isFinite(header.scl_inter) ? header.scl_inter : 0;
  const volume = realZeros(shape);
  for (let i = 0; i < length; ++i) {
    const value = slope * values[i] + intercept;
    if (!Number.isFinite(Math.fround(value))) throw new LarmorError('ERR_NOT_FINITE', `${path} holds ${value}`);
    volume.data[i] = value;
  }
  const edge = (axis: number): number => {
    const size = Math.abs(header.pixDims[axis] ?? 0);
    return size > 0 && Number.isFinite(size) ? size : 1;
  };
  return { volume, spacing: [edge(3), edge(2), edge(1)] };
}

function inHostOrder(data: ArrayBuffer, elementBytes: number, littleEndian: boolean): ArrayBuffer {
  const bytes = Buffer.from(data);
  // Every platform Node runs ONNX Runtime on is little-endian.
  if (!littleEndian && elementBytes === 2) bytes.swap16();
  if (!littleEndian && elementBytes === 4) bytes.swap32();
  if (!littleEndian && elementBytes === 8) bytes.swap64();
  return data;
}
