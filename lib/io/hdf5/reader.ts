// Reads an HDF5 file box by box, off the event loop.
import { resolve } from 'node:path';
import { LarmorError } from '../../errors.js';
import { withInput } from '../input-file.js';
import { Hdf5Channel } from './channel.js';
import type { AttributeValue, Box, DatasetInfo, Line, LineArray } from './protocol.js';

const SIGNATURE = Buffer.from('894844460d0a1a0a', 'hex');
const MAX_USER_BLOCK = 2 ** 20; // the signature stands at 0, 512, 1024, 2048, ...

/** Whether the file at `path` begins as an HDF5 file does. Throws as `withInput`. */
export function isHdf5(path: string): Promise<boolean> {
  return withInput(path, async (file) => {
    const bytes = Buffer.alloc(SIGNATURE.length);
    for (let position = 0; position <= MAX_USER_BLOCK; position = Math.max(512, 2 * position)) {
      const { bytesRead } = await file.read(bytes, 0, bytes.length, position);
      if (bytesRead < bytes.length) return false;
      if (bytes.equals(SIGNATURE)) return true;
    }
    return false;
  });
}

export interface Hdf5ReadOptions {
  signal?: AbortSignal | undefined;
}

/** An HDF5 file open for reading: datasets of the root group and, as `group/name`, of its groups; attributes of the root. */
export class Hdf5Reader implements AsyncDisposable {
  readonly #channel: Hdf5Channel;

  private constructor(
    channel: Hdf5Channel,
    readonly datasets: ReadonlyMap<string, DatasetInfo>,
    readonly attributes: Readonly<Record<string, AttributeValue>>,
  ) {
    this.#channel = channel;
  }

  /** @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when it is truncated, corrupt or no HDF5 file. */
  static async open(path: string, { signal }: Hdf5ReadOptions = {}): Promise<Hdf5Reader> {
    if (!(await isHdf5(path))) throw new LarmorError('ERR_FILE_FORMAT', `${path} is not an HDF5 file`);
    const channel = new Hdf5Channel(path);
    try {
      await channel.call(signal, 'open', resolve(path));
      const datasets = await channel.call(signal, 'datasets');
      const attributes = await channel.call(signal, 'attributes');
      return new Hdf5Reader(channel, new Map(datasets.map((info) => [info.name, info])), attributes);
    } catch (error) {
      await channel.close();
      throw error;
    }
  }

  /** A box of a complex dataset, interleaved re, im. @throws LarmorError `ERR_FILE_FORMAT`; `ERR_NOT_FINITE`. */
  readComplex(name: string, box: Box, { signal }: Hdf5ReadOptions = {}): Promise<Float32Array> {
    return this.#channel.call(signal, 'read', name, box, 'complex64');
  }

  /** For every position along the last two axes of a box: 1 where any element is not zero, else 0. */
  readSupport(name: string, box: Box, { signal }: Hdf5ReadOptions = {}): Promise<Uint8Array> {
    return this.#channel.call(signal, 'support', name, box);
  }

  /** A box of a real or integer dataset as float32. @throws LarmorError `ERR_FILE_FORMAT`; `ERR_NOT_FINITE`. */
  readReal(name: string, box: Box, { signal }: Hdf5ReadOptions = {}): Promise<Float32Array> {
    return this.#channel.call(signal, 'read', name, box, 'float32');
  }

  /** One text of at most `maxBytes`. @throws LarmorError `ERR_FILE_FORMAT`. */
  readText(name: string, maxBytes: number, { signal }: Hdf5ReadOptions = {}): Promise<string> {
    return this.#channel.call(signal, 'readText', name, maxBytes);
  }

  /** Headers of an ISMRMRD dataset: [acquisition, field], fields as in `HEADER_FIELDS`. @throws LarmorError `ERR_FILE_FORMAT`. */
  readAcquisitions(name: string, { signal }: Hdf5ReadOptions = {}): Promise<Float64Array> {
    return this.#channel.call(signal, 'acquisitions', name);
  }

  /**
   * Acquisitions of an ISMRMRD dataset added up in an array of zeros, interleaved re, im.
   *
   * @throws LarmorError `ERR_FILE_FORMAT`; `ERR_NOT_FINITE`.
   */
  gatherLines(
    name: string,
    lines: readonly Line[],
    array: LineArray,
    { signal }: Hdf5ReadOptions = {},
  ): Promise<Float32Array> {
    return this.#channel.call(signal, 'gather', name, lines, array);
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
