// Scans in ISMRMRD's HDF5 layout, version 1: a list of readouts that are sorted into Cartesian k-space, 2-D or 3-D.
import { basename } from 'node:path';
import { type ComplexArray, points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { Fft1 } from '../operators/fft1.js';
import type { SamplingMask } from '../sampling/mask.js';
import { BLOCK_BYTES, DecoupledVolume, VOLUME_WORKING_BYTES, type VolumeBlock } from './decoupled-volume.js';
import type { Line } from './hdf5/protocol.js';
import type { Hdf5Reader } from './hdf5/reader.js';
import {
  type PlacedLine,
  type ScanContents,
  type SortedAcquisitions,
  sortAcquisitions,
} from './ismrmrd-acquisitions.js';
import { acquiredColumns, MAX_HEADER_BYTES, type MatrixSize, parseHeader, type ScanHeader } from './ismrmrd-header.js';
import { averaged, grouped, isStack, sharedMask } from './ismrmrd-lines.js';
import type { Scan, ScanOptions, ScanReadOptions } from './scan.js';
import { expectSlice, expectSliceSize } from './scan-limits.js';

/** Noise beyond this is not read: a covariance matrix is known well enough. */
const MAX_NOISE_BYTES = 64 * 2 ** 20;

/** Group that ISMRMRD's own tools write. */
const DEFAULT_GROUP = 'dataset';

/** Groups of the file that hold acquisitions. */
export function ismrmrdGroups(file: Hdf5Reader): string[] {
  return [...file.datasets.values()]
    .filter(({ name, elements }) => elements === 'acquisition' && name.endsWith('/data'))
    .map(({ name }) => name.slice(0, -'/data'.length));
}

/** Opens a file in ISMRMRD's layout; the scan closes `file`. Errors as `openScan`. */
export async function openIsmrmrd(path: string, file: Hdf5Reader, options: ScanOptions): Promise<Scan> {
  const group = chooseGroup(path, ismrmrdGroups(file), options.dataset);
  const header = parseHeader(await file.readText(`${group}/xml`, MAX_HEADER_BYTES, options), path);
  const { trajectory = 'cartesian', encodedMatrix: matrix } = header;
  if (trajectory !== 'cartesian')
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path} is sampled along a ${trajectory} trajectory; only cartesian is read`,
    );
  if (!matrix) throw new LarmorError('ERR_FILE_FORMAT', `${path}: its header states no matrixSize of encodedSpace`);
  const name = `${group}/data`;
  const table = await file.readAcquisitions(name, options);
  const sorted = sortAcquisitions(path, group, table, header, matrix, options);
  const stack = matrix.z > 1 && isStack(sorted.lines);
  const lines = stack ? sorted.lines.map((line) => ({ ...line, kz: 0 })) : sorted.lines;
  const encoded = stack ? { ...matrix, z: 1 } : matrix;
  expectSliceSize(path, [sorted.coils, encoded.z > 1 ? encoded.z : encoded.x, encoded.y]);
  return new IsmrmrdScan(path, file, name, header, encoded, { ...sorted, lines });
}

function chooseGroup(path: string, groups: readonly string[], wanted: string | undefined): string {
  const chosen = wanted ?? (groups.length === 1 ? groups[0] : DEFAULT_GROUP);
  if (groups.includes(chosen)) return chosen;
  throw new LarmorError('ERR_ARGUMENT', `${path}: dataset must be one of ${groups.join(', ')}, got ${chosen}`);
}

/** Samples of an axis that remain without oversampling: of the same voxel size, but only the reconstructed field of view. */
function withoutOversampling(
  { encodedFieldOfView, fieldOfView, reconMatrix }: ScanHeader,
  n: number,
  axis: 'x' | 'y' | 'z',
): number {
  const share = encodedFieldOfView && fieldOfView ? fieldOfView[axis] / encodedFieldOfView[axis] : undefined;
  const kept = share === undefined ? (reconMatrix?.[axis] ?? n) : Math.round(n * share);
  return Math.max(1, Math.min(n, kept));
}

/** [first, end) of the `kept` samples in the middle of `n`: the centre, at floor(n / 2), becomes the centre. */
function middle(n: number, kept: number): readonly [number, number] {
  const first = (n >> 1) - (kept >> 1);
  return [first, first + kept];
}

class IsmrmrdScan implements Scan {
  readonly format = 'ismrmrd';
  readonly name: string;
  readonly slices: number;
  readonly coils: number;
  readonly phaseEncodes: 1 | 2;
  readonly matrix: readonly [number, number];
  readonly imageShape: readonly [number, number];
  readonly acquiredColumns: readonly [number, number];
  readonly acquisition = undefined;
  readonly attributes: Scan['attributes'];
  readonly mask: SamplingMask | undefined;
  readonly fullySampled: boolean;
  readonly hasReference = false;
  readonly workingBytes: number;
  readonly contents: ScanContents;
  readonly #file: Hdf5Reader;
  readonly #dataset: string;
  readonly #sorted: SortedAcquisitions;
  /** Samples along the readout, and those [first, end) that are kept in image space. */
  readonly #readout: number;
  readonly #kept: readonly [number, number];
  /** Of 2-D scans: the lines of each slice, with their columns. */
  readonly #lines: readonly (readonly Line[])[];
  readonly #volume: DecoupledVolume | undefined;

  constructor(
    readonly path: string,
    file: Hdf5Reader,
    dataset: string,
    readonly header: ScanHeader,
    encoded: MatrixSize,
    sorted: SortedAcquisitions,
  ) {
    this.#file = file;
    this.#dataset = dataset;
    this.#sorted = sorted;
    this.name = basename(path);
    this.attributes = file.attributes;
    this.coils = sorted.coils;
    this.contents = sorted.contents;
    this.acquiredColumns = acquiredColumns(header, encoded.y);
    const size = (axis: 'x' | 'y' | 'z'): number => withoutOversampling(header, encoded[axis], axis);
    const readout = size('x');
    this.#readout = encoded.x;
    this.#kept = middle(encoded.x, readout);
    const bySlice = grouped(sorted.lines, ({ slice }) => slice);
    const volume = encoded.z > 1;
    if (volume && bySlice.length > 1)
      throw new LarmorError(
        'ERR_FILE_FORMAT',
        `${path} has ${bySlice.length} slabs with two phase encodings; one is read`,
      );
    this.phaseEncodes = volume ? 2 : 1;
    this.slices = volume ? readout : bySlice.length;
    this.matrix = volume ? [encoded.z, encoded.y] : [readout, encoded.y];
    this.imageShape = volume ? [size('z'), size('y')] : [readout, size('y')];
    this.mask = sharedMask(path, bySlice, encoded, this.acquiredColumns);
    this.fullySampled = this.mask === undefined;
    this.#lines = volume ? [] : bySlice.map((lines) => averaged(lines, encoded.y));
    this.#volume = volume ? this.#decouple(bySlice[0], encoded) : undefined;
    this.workingBytes = volume ? VOLUME_WORKING_BYTES : 2 * 8 * this.coils * encoded.x * encoded.y;
  }

  async readKspace(slice: number, options: ScanReadOptions = {}): Promise<ComplexArray> {
    expectSlice('readKspace', slice, this.slices);
    if (this.#volume) return this.#volume.readSlice(slice, options);
    const shape = [this.coils, this.#readout, this.matrix[1]];
    const [channels, samples, columns] = shape;
    const strides = { channel: samples * columns, sample: columns, column: 1 };
    const array = { channels, samples, columns, strides };
    const data = await this.#file.gatherLines(this.#dataset, this.#lines[slice], array, options);
    return this.#withoutOversampling({ data, shape }, options);
  }

  /** K-space [coil, readout, column] of the middle of the image only. */
  async #withoutOversampling(kspace: ComplexArray, { signal }: ScanReadOptions): Promise<ComplexArray> {
    const [coils, readout, columns] = kspace.shape;
    const [first, end] = this.#kept;
    if (end - first === readout) return kspace;
    const image = await new Fft1(kspace.shape, 1).adjoint(kspace, { signal });
    const shape = [coils, end - first, columns];
    const row = 2 * columns;
    const data = new Float32Array(2 * points(shape));
    for (let coil = 0; coil < coils; coil += 1) {
      const from = coil * readout + first;
      data.set(image.data.subarray(from * row, (from + end - first) * row), coil * (end - first) * row);
    }
    return new Fft1(shape, 1).apply({ data, shape }, { signal });
  }

  async readReference(slice: number): Promise<undefined> {
    expectSlice('readReference', slice, this.slices);
  }

  async readNoise(options: ScanReadOptions = {}): Promise<ComplexArray | undefined> {
    const { coils, noise, noiseScale } = this.#sorted;
    const lines: Line[] = [];
    let samples = 0;
    for (const { acquisition, samples: count } of noise) {
      if (8 * coils * (samples + count) > MAX_NOISE_BYTES) break;
      lines.push({ acquisition, column: 0, from: 0, count, to: samples, reversed: false, weight: noiseScale });
      samples += count;
    }
    if (samples === 0) return undefined;
    const strides = { channel: samples, sample: 1, column: 0 };
    const array = { channels: coils, samples, columns: 1, strides };
    return { data: await this.#file.gatherLines(this.#dataset, lines, array, options), shape: [coils, samples] };
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#volume?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Blocks of measured positions, each with the lines of all averages. */
  #decouple(lines: readonly PlacedLine[], { x: readout, y, z }: MatrixSize): DecoupledVolume {
    const positions = grouped(lines, ({ ky, kz }) => kz * y + ky);
    const perBlock = Math.max(1, Math.floor(BLOCK_BYTES / (8 * this.coils * readout)));
    const blocks: VolumeBlock[] = [];
    for (let first = 0; first < positions.length; first += perBlock)
      blocks.push(this.#block(positions.slice(first, first + perBlock), readout, y, z));
    return new DecoupledVolume({ readout, positions: this.#kept, shape: [this.coils, z, y], blocks });
  }

  #block(positions: readonly (readonly PlacedLine[])[], readout: number, y: number, z: number): VolumeBlock {
    const { coils } = this;
    const columns = positions.length;
    const at = positions.map(([{ ky, kz }]) => kz * y + ky);
    const lines = positions.flatMap((same, column) =>
      same.map((line): Line => ({ ...line, column, weight: 1 / same.length })),
    );
    const strides = { channel: columns, sample: coils * columns, column: 1 };
    const array = { channels: coils, samples: readout, columns, strides };
    return {
      lines: coils * columns,
      read: (options) => this.#file.gatherLines(this.#dataset, lines, array, options),
      place(values, slice) {
        for (let coil = 0; coil < coils; coil += 1)
          for (let column = 0; column < columns; column += 1) {
            const target = 2 * (coil * z * y + at[column]);
            const source = 2 * (coil * columns + column);
            slice[target] = values[source];
            slice[target + 1] = values[source + 1];
          }
      },
    };
  }
}
