// Coil sensitivities as HDF5, slice by slice: `maps` complex64 [slice, set, coil, y, x].
import { type ComplexArray, expectComplex } from '../arrays/complex-array.js';
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
