// Scans in fastMRI's HDF5 layout: multi-coil and single-coil, with or without mask, reference and header; also 3-D ones.
import { basename } from 'node:path';
import { type ComplexArray, formatShape, points, type RealArray, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { centerCrop } from '../metrics/metrics.js';
import type { SamplingMask } from '../sampling/mask.js';
import { BLOCK_BYTES, DecoupledVolume, VOLUME_WORKING_BYTES, type VolumeBlock } from './decoupled-volume.js';
import type { Box, DatasetInfo } from './hdf5/protocol.js';
import type { Hdf5Reader } from './hdf5/reader.js';
import { acquiredColumns, MAX_HEADER_BYTES, parseHeader, type ScanHeader } from './ismrmrd-header.js';
import type { Scan, ScanOutline, ScanReadOptions } from './scan.js';
import { expectSlice, expectSliceSize } from './scan-limits.js';
import { inferMask, maskFromDataset } from './scan-mask.js';

/** Of a slice, in the HDF5 library's memory, which grows in steps of a fifth. */
const READER_COPIES = 1.4;

const REFERENCES = ['reconstruction_esc', 'reconstruction_rss'];

interface Layout {
  /** Of a volume: samples along the readout. */
  readonly slices: number;
  readonly coils: number;
  readonly matrix: readonly [number, number];
  /** Axes of the dataset. */
  readonly axes: 'slice ky kx' | 'slice coil ky kx' | 'volume coil readout kz ky';
}

/** Opens a file in fastMRI's layout; the scan closes `file`. Errors as `openScan`. */
export async function openFastmri(path: string, file: Hdf5Reader, options: ScanReadOptions): Promise<Scan> {
  const layout = readLayout(path, file);
  const header = await readHeader(path, file, options);
  const columns = acquiredColumns(header, layout.matrix[1]);
  const reference = findReference(path, file, layout);
  const mask = await readMask(path, file, layout, columns, options);
  return new FastmriScan(path, file, layout, header, columns, reference, mask);
}

/** What a file in fastMRI's layout holds, by its names and shapes. @throws LarmorError `ERR_FILE_FORMAT`. */
export function outlineFastmri(path: string, file: Hdf5Reader): ScanOutline {
  const { slices, coils, matrix } = readLayout(path, file);
  return { slices, coils, matrix, acquisition: acquisitionOf(file) };
}

function acquisitionOf({ attributes: { acquisition } }: Hdf5Reader): string | undefined {
  return typeof acquisition === 'string' ? acquisition : undefined;
}

class FastmriScan implements Scan {
  readonly format = 'fastmri';
  readonly name: string;
  readonly slices: number;
  readonly coils: number;
  readonly phaseEncodes: 1 | 2;
  readonly matrix: readonly [number, number];
  readonly imageShape: readonly [number, number];
  readonly fullySampled: boolean;
  readonly hasReference: boolean;
  readonly acquisition: string | undefined;
  readonly attributes: Scan['attributes'];
  readonly workingBytes: number;
  readonly #file: Hdf5Reader;
  readonly #layout: Layout;
  readonly #reference: DatasetInfo | undefined;
  readonly #volume: DecoupledVolume | undefined;

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
    this.#volume = isVolume(layout) ? decouple(file, layout) : undefined;
    this.phaseEncodes = this.#volume ? 2 : 1;
    this.slices = layout.slices;
    this.coils = layout.coils;
    this.matrix = layout.matrix;
    this.workingBytes = this.#volume ? VOLUME_WORKING_BYTES : READER_COPIES * 8 * this.coils * points(this.matrix);
    this.imageShape = imageShape(layout, reference, header);
    this.fullySampled = mask === undefined;
    this.hasReference = reference !== undefined;
    this.attributes = file.attributes;
    this.acquisition = acquisitionOf(file);
  }

  async readKspace(slice: number, options: ScanReadOptions = {}): Promise<ComplexArray> {
    expectSlice('readKspace', slice, this.slices);
    if (this.#volume) return this.#volume.readSlice(slice, options);
    const data = await this.#file.readComplex('kspace', sliceBox(this.#layout, slice), options);
    return { data, shape: [this.coils, ...this.matrix] };
  }

  async readReference(slice: number, options: ScanReadOptions = {}): Promise<RealArray | undefined> {
    expectSlice('readReference', slice, this.slices);
    if (!this.#reference) return undefined;
    const { name, shape } = this.#reference;
    const [, y, x] = shape;
    const data = await this.#file.readReal(name, { start: [slice, 0, 0], count: [1, y, x] }, options);
    return centerCrop({ data, shape: [y, x] }, this.imageShape);
  }

  async readNoise(): Promise<undefined> {}

  async close(): Promise<void> {
    await this.#file.close();
    await this.#volume?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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
  const layout = layoutOf(shape);
  if (!layout)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path}: kspace must have axes [slice, coil, ky, kx], [slice, ky, kx] or, of one volume, [1, coil, readout, kz, ky], ` +
        `its shape is ${formatShape(shape)}`,
    );
  if (points(shape) === 0)
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: kspace of shape ${formatShape(shape)} is empty`);
  expectSliceSize(path, [layout.coils, ...layout.matrix]);
  return layout;
}

function layoutOf(shape: Shape): Layout | undefined {
  if (shape.length === 3) {
    const [slices, ky, kx] = shape;
    return { slices, coils: 1, matrix: [ky, kx], axes: 'slice ky kx' };
  }
  if (shape.length === 4) {
    const [slices, coils, ky, kx] = shape;
    return { slices, coils, matrix: [ky, kx], axes: 'slice coil ky kx' };
  }
  if (shape.length !== 5 || shape[0] > 1) return undefined;
  const [, coils, slices, kz, ky] = shape;
  return { slices, coils, matrix: [kz, ky], axes: 'volume coil readout kz ky' };
}

function isVolume({ axes }: Layout): boolean {
  return axes === 'volume coil readout kz ky';
}

/** K-space of one slice; of a volume, of one sample along the readout. */
function sliceBox({ coils, matrix, axes }: Layout, slice: number): Box {
  switch (axes) {
    case 'slice ky kx':
      return { start: [slice, 0, 0], count: [1, ...matrix] };
    case 'slice coil ky kx':
      return { start: [slice, 0, 0, 0], count: [1, coils, ...matrix] };
    case 'volume coil readout kz ky':
      return { start: [0, 0, slice, 0, 0], count: [1, coils, 1, ...matrix] };
  }
}

/** Blocks of one coil and some rows kz each. */
function decouple(file: Hdf5Reader, { slices: readout, coils, matrix: [kz, ky] }: Layout): DecoupledVolume {
  const rows = Math.max(1, Math.min(kz, Math.floor(BLOCK_BYTES / (8 * readout * ky))));
  const blocks: VolumeBlock[] = [];
  for (let coil = 0; coil < coils; coil += 1)
    for (let first = 0; first < kz; first += rows) {
      const count = Math.min(rows, kz - first);
      const box = { start: [0, coil, 0, first, 0], count: [1, 1, readout, count, ky] };
      blocks.push({
        lines: count * ky,
        read: (options) => file.readComplex('kspace', box, options),
        place: (values, slice) => slice.set(values, 2 * (coil * kz + first) * ky),
      });
    }
  return new DecoupledVolume({ readout, positions: [0, readout], shape: [coils, kz, ky], blocks });
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
  layout: Layout,
  reference: DatasetInfo | undefined,
  header: ScanHeader | undefined,
): readonly [number, number] {
  const [ky, kx] = layout.matrix;
  const { x: rows, y: columns, z: partitions } = header?.reconMatrix ?? { x: ky, y: kx, z: ky };
  const [height, width] = reference ? reference.shape.slice(-2) : [isVolume(layout) ? partitions : rows, columns];
  return kx < width && !isVolume(layout) ? [Math.min(ky, kx), kx] : [Math.min(ky, height), Math.min(kx, width)];
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
