// Writes an HDF5 file slice by slice, off the event loop; the file appears whole or not at all.
import { points, type Shape } from '../../arrays/complex-array.js';
import { LarmorError } from '../../errors.js';
import { AtomicFile } from '../atomic-write.js';
import { writeFailure } from '../file-errors.js';
import { Hdf5Channel } from './channel.js';

export interface Hdf5WriteOptions {
  signal?: AbortSignal | undefined;
}

/** An HDF5 file being written: fill it, then `commit()`. Disposing of it uncommitted leaves nothing behind. */
export class Hdf5Writer implements AsyncDisposable {
  readonly #output: AtomicFile;
  readonly #channel: Hdf5Channel;
  readonly #shapes = new Map<string, { shape: Shape; floats: number }>();

  private constructor(output: AtomicFile, channel: Hdf5Channel) {
    this.#output = output;
    this.#channel = channel;
  }

  /** @throws LarmorError `ERR_FILE_WRITE`. */
  static async create(path: string, { signal }: Hdf5WriteOptions = {}): Promise<Hdf5Writer> {
    const output = await AtomicFile.create(path);
    const channel = new Hdf5Channel(path);
    const writer = new Hdf5Writer(output, channel);
    try {
      await channel.call(signal, 'create', output.temporaryPath);
      return writer;
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw writeFailure(path, error);
    }
  }

  /**
   * Adds a dataset, stored in chunks of one index along each of the first `rank - 2` axes.
   *
   * @param elements complex64 in h5py's layout `{r, i}`, or float32.
   */
  async addDataset(name: string, elements: 'complex64' | 'float32', shape: Shape): Promise<void> {
    const chunk = shape.map((n, axis) => (axis < shape.length - 2 ? 1 : n));
    this.#shapes.set(name, { shape, floats: elements === 'complex64' ? 2 : 1 });
    await this.#channel.call(undefined, 'createDataset', name, elements, shape, chunk);
  }

  /**
   * Writes all of one index along each of the first axes.
   *
   * @param indices Of the first axis, or of more. @param data Interleaved re, im for complex64. It is copied, one image at a time.
   * @throws LarmorError `ERR_SHAPE`; `ERR_FILE_WRITE`.
   */
  async writeSlice(
    name: string,
    indices: readonly number[],
    data: Float32Array,
    { signal }: Hdf5WriteOptions = {},
  ): Promise<void> {
    const dataset = this.#shapes.get(name);
    if (!dataset) throw new LarmorError('ERR_ARGUMENT', `writeSlice: no dataset "${name}" was added`);
    const { shape, floats } = dataset;
    const want = floats * points(shape.slice(indices.length));
    if (data.length !== want)
      throw new LarmorError(
        'ERR_SHAPE',
        `writeSlice: ${name} of shape [${shape}] wants ${want} floats a slice, got ${data.length}`,
      );
    const image = floats * points(shape.slice(-2));
    const outer = shape.slice(indices.length, -2);
    for (let done = 0; done < data.length; done += image) {
      const start = [...indices, ...unravel(done / image, outer), 0, 0];
      const count = shape.map((n, axis) => (axis < shape.length - 2 ? 1 : n));
      await this.#channel.call(signal, 'write', name, { start, count }, data.slice(done, done + image));
    }
  }

  /** Adds a small dataset of 0 and 1 in one go. */
  async addMask(name: string, data: Uint8Array, shape: Shape): Promise<void> {
    await this.#channel.call(undefined, 'createDataset', name, 'integer', shape, shape);
    await this.#channel.call(undefined, 'write', name, { start: shape.map(() => 0), count: shape }, data);
  }

  async addText(name: string, text: string): Promise<void> {
    await this.#channel.call(undefined, 'writeText', name, text);
  }

  async setAttribute(name: string, value: string | number): Promise<void> {
    await this.#channel.call(undefined, 'writeAttribute', name, value);
  }

  /** Closes the file and gives it its name. @throws LarmorError `ERR_FILE_WRITE`. */
  async commit(): Promise<void> {
    await this.#channel.call(undefined, 'close');
    await this.#channel.close();
    await this.#output.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel.close();
    await this.#output.discard();
  }
}

/** The indices of position `flat` in an array of shape `shape`. */
function unravel(flat: number, shape: Shape): number[] {
  const indices = shape.map(() => 0);
  for (let axis = shape.length - 1, rest = flat; axis >= 0; axis -= 1) {
    indices[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return indices;
}
