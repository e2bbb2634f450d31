// Coil sensitivities as HDF5, slice by slice: `maps` complex64 [slice, set, coil, y, x].
import { type ComplexArray, expectComplex, formatShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { Hdf5Reader, type Hdf5ReadOptions } from './hdf5/reader.js';
import { type Hdf5WriteOptions, Hdf5Writer } from './hdf5/writer.js';

/** A maps file being written: every slice, then `commit()`. Disposing of it uncommitted leaves nothing behind. */
export class MapsWriter implements AsyncDisposable {
  private constructor(
    readonly file: Hdf5Writer,
    readonly shape: readonly [slices: number, sets: number, coils: number, y: number, x: number],
  ) {}

  /** @throws LarmorError `ERR_FILE_WRITE`. */
  static async create(path: string, shape: MapsWriter['shape'], options: Hdf5WriteOptions = {}): Promise<MapsWriter> {
    const file = await Hdf5Writer.create(path, options);
    try {
      await file.addDataset('maps', 'complex64', shape);
      return new MapsWriter(file, shape);
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Writes the maps [set, coil, y, x] of one slice. @throws LarmorError `ERR_SHAPE`; `ERR_FILE_WRITE`. */
  async write(slice: number, maps: ComplexArray, options: Hdf5WriteOptions = {}): Promise<void> {
    expectComplex('MapsWriter.write', 'maps', maps, this.shape.slice(1));
    await this.file.writeSlice('maps', [slice], maps.data, options);
  }

  /** Completes the file with a JSON `manifest` attribute and gives it its name. @throws LarmorError `ERR_FILE_WRITE`. */
  async commit(manifest: object): Promise<void> {
    await this.file.setAttribute('manifest', JSON.stringify(manifest));
    await this.file.commit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.file[Symbol.asyncDispose]();
  }
}

/** A maps file open for reading. */
export class MapsReader implements AsyncDisposable {
  readonly #file: Hdf5Reader;
  /** Positions in the scan of the slices the file holds, in order. */
  readonly #indices: readonly number[];

  private constructor(
    readonly path: string,
    file: Hdf5Reader,
    readonly shape: readonly [slices: number, sets: number, coils: number, y: number, x: number],
  ) {
    this.#file = file;
    this.#indices = slicesNamed(file.attributes.manifest) ?? Array.from({ length: shape[0] }, (_, i) => i);
  }

  /**
   * Opens a file that `MapsWriter` made, or another program with `maps` complex64 [slice, set, coil, y, x].
   *
   * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT`.
   */
  static async open(path: string, options: Hdf5ReadOptions = {}): Promise<MapsReader> {
    const file = await Hdf5Reader.open(path, options);
    const info = file.datasets.get('maps');
    if (info?.elements === 'complex64' && info.shape.length === 5)
      return new MapsReader(path, file, info.shape as unknown as MapsReader['shape']);
    await file.close();
    const found = info ? `${info.elements} ${formatShape(info.shape)}` : 'none';
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path} must hold maps, complex64 [slice, set, coil, y, x], got ${found}; make it with larmor maps`,
    );
  }

  /** The maps [set, coil, y, x] of slice `index` of the scan. @throws LarmorError `ERR_ARGUMENT` where the file lacks it; `ERR_NOT_FINITE`. */
  async read(index: number, options: Hdf5ReadOptions = {}): Promise<ComplexArray> {
    const position = this.#indices.indexOf(index);
    const [, ...shape] = this.shape;
    if (position < 0 || position >= this.shape[0])
      throw new LarmorError(
        'ERR_ARGUMENT',
        `${this.path} holds no maps of slice ${index}, only of ${this.#indices.join(', ')}`,
      );
    const data = await this.#file.readComplex('maps', { start: [position, 0, 0, 0, 0], count: [1, ...shape] }, options);
    return { data, shape };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

/** The slices that a manifest of `larmor maps` lists. */
function slicesNamed(manifest: unknown): number[] | undefined {
  if (typeof manifest !== 'string') return undefined;
  try {
    const { slices } = JSON.parse(manifest) as { slices?: { index: number }[] };
    return slices?.map(({ index }) => index);
  } catch {
    return undefined; // another program's attribute of the same name
  }
}
