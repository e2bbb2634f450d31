// Scans in fastMRI's HDF5 layout: multi-coil and single-coil, with or without mask, reference and header.
import { basename } from 'node:path';
import { type ComplexArray, formatShape, points, type RealArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { centerCrop } from '../metrics/metrics.js';
import type { SamplingMask } from '../sampling/mask.js';
import { acquiredColumns, MAX_HEADER_BYTES, parseHeader, type ScanHeader } from './fastmri-header.js';
import { inferMask, maskFromDataset } from './fastmri-mask.js';
import type { Box, DatasetInfo } from './hdf5/protocol.js';
import { Hdf5Reader } from './hdf5/reader.js';

import type { Scan, ScanReadOptions } from './scan.js';

/** Largest slice read, in bytes: 64 coils of 1536 x 1024 samples take 0.8 GB. Larger ones are a corrupt or hostile shape. */
const MAX_SLICE_BYTES = 2 ** 30;

const REFERENCES = ['reconstruction_esc', 'reconstruction_rss'];

interface Layout {
  readonly slices: number;
  readonly coils: number;
  readonly matrix: readonly [number, number];
  /** Single-coil files have no coil axis. */
  readonly hasCoilAxis: boolean;
}

/** Opens a file in fastMRI's layout. Errors as `openScan`. */
export async function openFastmri(path: string, options: ScanReadOptions = {}): Promise<Scan> {
  const file = await Hdf5Reader.open(path, options);
  try {
    const layout = readLayout(path, file);
    const header = await readHeader(path, file, options);
    const columns = acquiredColumns(header, layout.matrix[1]);
    const reference = findReference(path, file, layout);
    const mask = await readMask(path, file, layout, columns, options);
    return new FastmriScan(path, file, layout, header, columns, reference, mask);
  } catch (error) {
    await file.close();
    throw error;
  }
}

class FastmriScan implements Scan {
  readonly format = 'fastmri';
  readonly name: string;
  readonly slices: number;
  readonly coils: number;
  readonly matrix: readonly [number, number];
  readonly imageShape: readonly [number, number];
  readonly fullySampled: boolean;
  readonly hasReference: boolean;
  readonly acquisition: string | undefined;
  readonly attributes: Scan['attributes'];
  readonly #file: Hdf5Reader;
  readonly #layout: Layout;
  readonly #reference: DatasetInfo | undefined;

  constructor(
    readonly path: string,
    file: Hdf5Reader,
    layout: Layout,
    readonly header: ScanHeader | undefined,
    readonly acquiredColumns: readonly [number, number],
    reference: DatasetInfo | undefined,
    readonly mask: SamplingMask | undefined,
  ) {
    this.#file = file;
    this.#layout = layout;
    this.#reference = reference;
    this.name = basename(path);
    this.slices = layout.slices;
    this.coils = layout.coils;
    this.matrix = layout.matrix;
    this.imageShape = imageShape(layout.matrix, reference, header);
    this.fullySampled = mask === undefined;
    this.hasReference = reference !== undefined;
    this.attributes = file.attributes;
    this.acquisition = typeof file.attributes.acquisition === 'string' ? file.attributes.acquisition : undefined;
  }

  async readKspace(slice: number, options: ScanReadOptions = {}): Promise<ComplexArray> {
    this.#expectSlice('readKspace', slice);
    const data = await this.#file.readComplex('kspace', sliceBox(this.#layout, slice), options);
    return { data, shape: [this.coils, ...this.matrix] };
  }

  async readReference(slice: number, options: ScanReadOptions = {}): Promise<RealArray | undefined> {
    this.#expectSlice('readReference', slice);
    if (!this.#reference) return undefined;
    const { name, shape } = this.#reference;
    const [, y, x] = shape;
    const data = await this.#file.readReal(name, { start: [slice, 0, 0], count: [1, y, x] }, options);
    return centerCrop({ data, shape: [y, x] }, this.imageShape);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #expectSlice(who: string, slice: number): void {
    if (!Number.isInteger(slice) || slice < 0 || slice >= this.slices)
      throw new LarmorError('ERR_ARGUMENT', `${who}: slice must be 0 to ${this.slices - 1}, got ${slice}`);
  }
}

function readLayout(path: string, file: Hdf5Reader): Layout {
  const kspace = file.datasets.get('kspace');
  if (!kspace) {
    const names = [...file.datasets.keys()].join(', ') || 'none';
    throw new LarmorError('ERR_FILE_FORMAT', `${path} has no dataset "kspace"; its datasets: ${names}`);
  }
  const { shape, elements } = kspace;
  if (elements !== 'complex64' && elements !== 'complex128')
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: kspace must be complex, it holds ${elements} elements`);
  if (shape.length !== 3 && shape.length !== 4)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path}: kspace must have axes [slice, coil, ky, kx] or [slice, ky, kx], its shape is ${formatShape(shape)}`,
    );
  const [slices, coils, ky, kx] = shape.length === 4 ? shape : [shape[0], 1, shape[1], shape[2]];
  const bytes = 8 * coils * ky * kx;
  if (slices * bytes === 0)
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: kspace of shape ${formatShape(shape)} is empty`);
  if (bytes > MAX_SLICE_BYTES)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path}: one slice of kspace ${formatShape(shape)} would take ${(bytes / 2 ** 30).toPrecision(3)} GiB, the limit is 1`,
    );
  return { slices, coils, matrix: [ky, kx], hasCoilAxis: shape.length === 4 };
}

function sliceBox({ coils, matrix, hasCoilAxis }: Layout, slice: number): Box {
  return hasCoilAxis
    ? { start: [slice, 0, 0, 0], count: [1, coils, ...matrix] }
    : { start: [slice, 0, 0], count: [1, ...matrix] };
}

async function readHeader(path: string, file: Hdf5Reader, options: ScanReadOptions): Promise<ScanHeader | undefined> {
  if (!file.datasets.has('ismrmrd_header')) return undefined;
  return parseHeader(await file.readText('ismrmrd_header', MAX_HEADER_BYTES, options), path);
}

function findReference(path: string, file: Hdf5Reader, layout: Layout): DatasetInfo | undefined {
  const reference = REFERENCES.map((name) => file.datasets.get(name)).find((info) => info !== undefined);
  if (!reference) return undefined;
  const { name, shape, elements } = reference;
  const real = elements === 'float32' || elements === 'float64' || elements === 'integer';
  if (!real || shape.length !== 3 || shape[0] !== layout.slices || points(shape) === 0)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path}: ${name} must be real with shape [${layout.slices},y,x], it is ${elements} ${formatShape(shape)}`,
    );
  return reference;
}

/** As fastMRI crops: to the reference or the header's matrix; where the image is narrower, to the square of its width. */
function imageShape(
  [ky, kx]: readonly [number, number],
  reference: DatasetInfo | undefined,
  header: ScanHeader | undefined,
): readonly [number, number] {
  const { x: rows, y: columns } = header?.reconMatrix ?? { x: ky, y: kx };
  const [height, width] = reference ? reference.shape.slice(-2) : [rows, columns];
  return kx < width ? [Math.min(ky, kx), kx] : [Math.min(ky, height), width];
}

async function readMask(
  path: string,
  file: Hdf5Reader,
  layout: Layout,
  columns: readonly [number, number],
  options: ScanReadOptions,
): Promise<SamplingMask | undefined> {
  const info = file.datasets.get('mask');
  if (!info) {
    const box = sliceBox(layout, Math.floor(layout.slices / 2));
    return inferMask(path, await file.readSupport('kspace', box, options), layout.matrix, columns);
  }
  const { shape } = info;
  if (points(shape) > points(layout.matrix))
    throw new LarmorError('ERR_MASK', `${path}: mask ${formatShape(shape)} is larger than k-space [${layout.matrix}]`);
  const values = await file.readReal('mask', { start: shape.map(() => 0), count: shape }, options);
  return maskFromDataset(path, values, shape, layout.matrix, columns);
}
