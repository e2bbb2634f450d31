// 3-D k-space as a stack of 2-D problems: one unitary inverse transform along the readout, kept on disk, read position by position.
import { type ComplexArray, complexZeros, type Shape } from '../arrays/complex-array.js';
import { Fft1 } from '../operators/fft1.js';
import type { ScanReadOptions } from './scan.js';
import { TemporaryFile } from './temporary-file.js';

/** K-space is read and transformed in blocks of about this size. */
export const BLOCK_BYTES = 8 * 2 ** 20;

/** Measured: blocks in the reader's memory, as read and transformed, and those that wait for the garbage collector. */
export const VOLUME_WORKING_BYTES = 16 * BLOCK_BYTES;

/** Some lines along the readout, with all or some coils. */
export interface VolumeBlock {
  /** How many. */
  readonly lines: number;
  /** K-space [readout, line]. */
  read(options: ScanReadOptions): Promise<Float32Array>;
  /** Copies the values [line] of one position into the slice [coil, row, column] there. */
  place(values: Float32Array, slice: Float32Array): void;
}

/** What a volume is made of. */
export interface VolumeLayout {
  /** Samples along the readout. */
  readonly readout: number;
  /** Readout positions [first, end) that are kept: oversampling lies outside. */
  readonly positions: readonly [first: number, end: number];
  /** [coil, row, column] of the k-space at each position. */
  readonly shape: Shape;
  readonly blocks: readonly VolumeBlock[];
}

/**
 * A volume decoupled along its fully sampled readout. The first slice asked for reads, transforms and stores all of k-space in
 * a nameless temporary file; memory stays at a few blocks, see `VOLUME_WORKING_BYTES`.
 */
export class DecoupledVolume implements AsyncDisposable {
  readonly #layout: VolumeLayout;
  #storing: Promise<StoredVolume> | undefined;

  constructor(layout: VolumeLayout) {
    this.#layout = layout;
  }

  /** K-space [coil, row, column] at readout position `first + index`. @throws as the blocks' `read`; `ERR_FILE_WRITE`. */
  async readSlice(index: number, options: ScanReadOptions): Promise<ComplexArray> {
    const { shape, blocks } = this.#layout;
    const { file, begins } = await this.#stored(options);
    const slice = complexZeros(shape);
    for (const [b, { lines, place }] of blocks.entries()) {
      options.signal?.throwIfAborted();
      const values = new Float32Array(2 * lines);
      await file.read(begins[b] + index * values.byteLength, values);
      place(values, slice.data);
    }
    return slice;
  }

  /** The transformed volume; it is stored once, again only where that failed. */
  async #stored(options: ScanReadOptions): Promise<StoredVolume> {
    for (;;) {
      const others = this.#storing;
      const storing = others ?? this.#store(options);
      this.#storing = storing;
      try {
        return await storing;
      } catch (error) {
        if (this.#storing === storing) this.#storing = undefined;
        if (!others) throw error;
        options.signal?.throwIfAborted(); // it was the other reader who gave up
      }
    }
  }

  async #store(options: ScanReadOptions): Promise<StoredVolume> {
    const { readout, positions, blocks } = this.#layout;
    const [first, end] = positions;
    const lines = blocks.reduce((sum, block) => sum + block.lines, 0);
    const file = await TemporaryFile.create(8 * (end - first) * lines);
    try {
      const begins: number[] = [];
      for (const block of blocks) {
        const kspace = { data: await block.read(options), shape: [readout, block.lines] };
        const { data } = await new Fft1(kspace.shape, 0).adjoint(kspace, { signal: options.signal });
        begins.push(await file.append(data.subarray(2 * first * block.lines, 2 * end * block.lines)));
      }
      return { file, begins };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const stored = await this.#storing?.catch(() => undefined);
    await stored?.file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Blocks [position, line] one after another; where each begins, in bytes. */
interface StoredVolume {
  readonly file: TemporaryFile;
  readonly begins: readonly number[];
}
