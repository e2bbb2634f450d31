// K-space in BART's pairs of files as a scan: 2-D slices, or a volume with two phase encodings.
import { basename } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, points } from '../arrays/complex-array.js';
import { firstNonFinite } from '../arrays/finite.js';
import { LarmorError } from '../errors.js';
import type { SamplingMask } from '../sampling/mask.js';
import { type CflFile, openCfl } from './cfl.js';
import { BLOCK_BYTES, DecoupledVolume, VOLUME_WORKING_BYTES, type VolumeBlock } from './decoupled-volume.js';
import type { Scan, ScanReadOptions } from './scan.js';
import { expectSlice, expectSliceSize } from './scan-limits.js';
import { inferMask } from './scan-mask.js';

/** BART's dimensions that k-space may have: readout, two phase encodings, coils, slices. */
const READ = 0;
const PHASE_1 = 1;
const PHASE_2 = 2;
const COIL = 3;
const SLICE = 13;
const USED = [READ, PHASE_1, PHASE_2, COIL, SLICE];

/** Transposed in about a millisecond. */
const VALUES_AT_ONCE = 2 ** 16;

/** Opens a pair of BART's files. Errors as `openScan`. */
export async function openCflScan(path: string, options: ScanReadOptions): Promise<Scan> {
  const file = await openCfl(path);
  try {
    const other = file.dimensions.findIndex((n, i) => n > 1 && !USED.includes(i));
    if (other >= 0)
      throw new LarmorError(
        'ERR_FILE_FORMAT',
        `${path}: dimension ${other} has length ${file.dimensions[other]}; k-space of readout, phases, coils and slices ` +
          `(dimensions ${USED.join(', ')}) is read: take one part with "bart slice ${other}"`,
      );
    const scan = new CflScan(path, file);
    await scan.findMask(options);
    return scan;
  } catch (error) {
    await file.close();
    throw error;
  }
}

class CflScan implements Scan {
  readonly format = 'cfl';
  readonly path: string;
  readonly name: string;
  readonly slices: number;
  readonly coils: number;
  readonly phaseEncodes: 1 | 2;
  readonly matrix: readonly [number, number];
  readonly imageShape: readonly [number, number];
  readonly acquiredColumns: readonly [number, number];
  readonly acquisition = undefined;
  readonly header = undefined;
  readonly attributes = {};
  readonly hasReference = false;
  readonly workingBytes: number;
  mask: SamplingMask | undefined;
  readonly #file: CflFile;
  readonly #volume: DecoupledVolume | undefined;

  constructor(path: string, file: CflFile) {
    const [readout, columns, rows] = file.dimensions;
    this.path = file.path;
    this.name = basename(file.path);
    this.#file = file;
    this.coils = file.dimensions[COIL];
    const volume = readout > 1 && rows > 1;
    this.phaseEncodes = volume ? 2 : 1;
    this.matrix = rows > 1 ? [rows, columns] : [readout, columns];
    this.slices = volume ? readout : file.dimensions[SLICE];
    this.imageShape = this.matrix;
    this.acquiredColumns = [0, columns];
    expectSliceSize(path, [this.coils, ...this.matrix]);
    if (volume && file.dimensions[SLICE] > 1)
      throw new LarmorError('ERR_FILE_FORMAT', `${path} has ${file.dimensions[SLICE]} volumes; one is read`);
    this.#volume = volume ? this.#decouple() : undefined;
    this.workingBytes = volume ? VOLUME_WORKING_BYTES : 0;
  }

  get fullySampled(): boolean {
    return this.mask === undefined;
  }

  /** Where k-space is not zero; of a volume, in the middle of the readout of the first coil. */
  async findMask(options: ScanReadOptions): Promise<void> {
    const support = new Uint8Array(points(this.matrix));
    if (this.#volume) {
      const [readout] = this.#file.dimensions;
      const most = Math.max(1, Math.floor(BLOCK_BYTES / (8 * readout)));
      for (let first = 0; first < support.length; first += most) {
        const data = await this.#read(first * readout, Math.min(most, support.length - first) * readout, options);
        for (let i = 0; i < data.length / 2 / readout; i += 1) {
          const at = 2 * (i * readout + (readout >> 1));
          support[first + i] = data[at] !== 0 || data[at + 1] !== 0 ? 1 : 0;
        }
      }
    } else {
      const { data } = await this.readKspace(this.slices >> 1, options);
      for (let coil = 0; coil < this.coils; coil += 1) {
        const from = 2 * coil * support.length;
        for (let i = 0; i < support.length; i += 1)
          if (data[from + 2 * i] !== 0 || data[from + 2 * i + 1] !== 0) support[i] = 1;
        await nextTurn();
      }
    }
    this.mask = inferMask(this.path, support, this.matrix, this.acquiredColumns);
  }

  async readKspace(slice: number, options: ScanReadOptions = {}): Promise<ComplexArray> {
    expectSlice('readKspace', slice, this.slices);
    if (this.#volume) return this.#volume.readSlice(slice, options);
    const shape = [this.coils, ...this.matrix];
    const data = await this.#read(slice * points(shape), points(shape), options);
    const [readout, columns] = this.#file.dimensions;
    if (readout === 1) return { data, shape };
    const turned = new Float32Array(data.length);
    const length = 2 * readout * columns;
    for (let at = 0; at < data.length; at += length)
      await transpose(data.subarray(at, at + length), turned.subarray(at, at + length), columns, readout);
    return { data: turned, shape };
  }

  async readReference(slice: number): Promise<undefined> {
    expectSlice('readReference', slice, this.slices);
  }

  async readNoise(): Promise<undefined> {}

  async close(): Promise<void> {
    await this.#file.close();
    await this.#volume?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(first: number, count: number, { signal }: ScanReadOptions): Promise<Float32Array> {
    signal?.throwIfAborted();
    const data = await this.#file.read(first, count);
    signal?.throwIfAborted();
    const bad = firstNonFinite(data);
    if (bad >= 0) throw new LarmorError('ERR_NOT_FINITE', `${this.path} holds ${data[bad]}`);
    return data;
  }

  /** Blocks of lines one after another in the file, of one coil each. */
  #decouple(): DecoupledVolume {
    const { coils, matrix } = this;
    const [readout] = this.#file.dimensions;
    const plane = points(matrix);
    const most = Math.max(1, Math.floor(BLOCK_BYTES / (8 * readout)));
    const blocks: VolumeBlock[] = [];
    for (let coil = 0; coil < coils; coil += 1)
      for (let first = 0; first < plane; first += most) {
        const lines = Math.min(most, plane - first);
        const begin = coil * plane + first;
        blocks.push({
          lines,
          read: async (options) => {
            const data = await this.#read(begin * readout, lines * readout, options);
            const turned = new Float32Array(data.length);
            await transpose(data, turned, lines, readout);
            return turned;
          },
          place: (values, slice) => slice.set(values, 2 * begin),
        });
      }
    return new DecoupledVolume({ readout, positions: [0, readout], shape: [coils, ...matrix], blocks });
  }
}

/** Complex [rows, columns] to [columns, rows], in pieces that leave the event loop free. */
async function transpose(from: Float32Array, to: Float32Array, rows: number, columns: number): Promise<void> {
  const most = Math.ceil(VALUES_AT_ONCE / columns);
  for (let first = 0; first < rows; first += most) {
    for (let row = first; row < Math.min(rows, first + most); row += 1)
      for (let column = 0; column < columns; column += 1) {
        const source = 2 * (row * columns + column);
        const target = 2 * (column * rows + row);
        to[target] = from[source];
        to[target + 1] = from[source + 1];
      }
    await nextTurn();
  }
}
