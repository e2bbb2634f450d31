// Writes scans in fastMRI's HDF5 layout: k-space, reference, mask, header and attributes; 3-D ones as one volume.
import { type ComplexArray, expectComplex, type RealArray, sameShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { SamplingMask } from '../sampling/mask.js';
import { type Hdf5WriteOptions, Hdf5Writer } from './hdf5/writer.js';

/** What a scan file will hold; its arrays follow slice by slice, those of a volume coil by coil. */
export interface ScanDescription {
  /** Of a volume: samples along the readout. */
  readonly slices: number;
  readonly coils: number;
  /** [ky, kx] of k-space; of a volume [kz, ky]: second, first phase encode. */
  readonly matrix: readonly [number, number];
  /** Whether k-space is 3-D: `kspace` [1, coil, readout, kz, ky], not decoupled along the readout. Default: false. */
  readonly volume?: boolean | undefined;
  /** [y, x] of the references and of the header's reconstruction matrix. Default: `matrix`. */
  readonly imageShape?: readonly [number, number] | undefined;
  readonly acquisition?: string | undefined;
  /** Of undersampled k-space. */
  readonly mask?: SamplingMask | undefined;
  /** Further attributes, such as `origin`. */
  readonly attributes?: Readonly<Record<string, string | number>> | undefined;
}

/** A scan file being written: every slice or, of a volume, every coil, then `commit()`. Disposing of it uncommitted leaves nothing behind. */
export class ScanWriter implements AsyncDisposable {
  readonly #file: Hdf5Writer;
  readonly #description: ScanDescription;
  #references = 0;
  #maximum = 0;
  #energy = 0;

  private constructor(file: Hdf5Writer, description: ScanDescription) {
    this.#file = file;
    this.#description = description;
  }

  /** @throws LarmorError `ERR_FILE_WRITE`. */
  static async create(path: string, description: ScanDescription, options: Hdf5WriteOptions = {}): Promise<ScanWriter> {
    const { slices, coils, matrix, volume = false, mask, acquisition, attributes } = description;
    const file = await Hdf5Writer.create(path, options);
    try {
      await file.addText('ismrmrd_header', headerXml(description));
      await file.addDataset('kspace', 'complex64', volume ? [1, coils, slices, ...matrix] : [slices, coils, ...matrix]);
      if (mask) await file.addMask('mask', mask.data, mask.shape);
      if (acquisition !== undefined) await file.setAttribute('acquisition', acquisition);
      for (const [name, value] of Object.entries(attributes ?? {})) await file.setAttribute(name, value);
      return new ScanWriter(file, description);
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Writes k-space [coil, ky, kx] of one slice. @throws LarmorError `ERR_SHAPE`; `ERR_FILE_WRITE`. */
  async writeKspace(slice: number, kspace: ComplexArray, options: Hdf5WriteOptions = {}): Promise<void> {
    const { coils, matrix, volume = false } = this.#description;
    if (volume)
      throw new LarmorError(
        'ERR_ARGUMENT',
        'writeKspace: the k-space of a volume is written coil by coil, by writeCoil',
      );
    expectComplex('writeKspace', 'kspace', kspace, [coils, ...matrix]);
    await this.#file.writeSlice('kspace', [slice], kspace.data, options);
  }

  /** Writes k-space [readout, kz, ky] of one coil of a volume. @throws LarmorError `ERR_SHAPE`; `ERR_FILE_WRITE`. */
  async writeCoil(coil: number, kspace: ComplexArray, options: Hdf5WriteOptions = {}): Promise<void> {
    const { slices, matrix, volume = false } = this.#description;
    if (!volume) throw new LarmorError('ERR_ARGUMENT', 'writeCoil: the k-space of slices is written by writeKspace');
    expectComplex('writeCoil', 'kspace', kspace, [slices, ...matrix]);
    await this.#file.writeSlice('kspace', [0, coil], kspace.data, options);
  }

  /** Writes the reference [y, x] of one slice; write all slices or none. @throws LarmorError `ERR_SHAPE`; `ERR_FILE_WRITE`. */
  async writeReference(slice: number, image: RealArray, options: Hdf5WriteOptions = {}): Promise<void> {
    const { slices, matrix, imageShape = matrix } = this.#description;
    if (!sameShape(image.shape, imageShape))
      throw new LarmorError('ERR_SHAPE', `writeReference: image must have shape [${imageShape}], got [${image.shape}]`);
    if (this.#references === 0) await this.#file.addDataset('reconstruction_rss', 'float32', [slices, ...imageShape]);
    this.#references += 1;
    for (const value of image.data) {
      if (value > this.#maximum) this.#maximum = value;
      this.#energy += value * value;
    }
    await this.#file.writeSlice('reconstruction_rss', [slice], image.data, options);
  }

  /** Completes the file and gives it its name. @throws LarmorError `ERR_FILE_WRITE`. */
  async commit(): Promise<void> {
    if (this.#references > 0) {
      await this.#file.setAttribute('max', this.#maximum);
      await this.#file.setAttribute('norm', Math.sqrt(this.#energy));
    }
    await this.#file.commit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file[Symbol.asyncDispose]();
  }
}

/** The least an ISMRMRD header must say for fastMRI's readers: matrix sizes and encoding limits. */
function headerXml({ slices, matrix, imageShape = matrix, volume = false }: ScanDescription): string {
  const [readout, phase, second] = volume ? [slices, matrix[1], matrix[0]] : [...matrix, 1];
  const [x, y, z] = volume ? [slices, imageShape[1], imageShape[0]] : [...imageShape, 1];
  const size = (...[a, b, c]: readonly number[]): string =>
    `<matrixSize><x>${a}</x><y>${b}</y><z>${c}</z></matrixSize>`;
  const limits = (n: number): string => `<minimum>0</minimum><maximum>${n - 1}</maximum><center>${n >> 1}</center>`;
  return (
    '<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>' +
    `<encodedSpace>${size(readout, phase, second)}</encodedSpace><reconSpace>${size(x, y, z)}</reconSpace><encodingLimits>` +
    `<kspace_encoding_step_1>${limits(phase)}</kspace_encoding_step_1>` +
    (volume ? `<kspace_encoding_step_2>${limits(second)}</kspace_encoding_step_2>` : '') +
    '</encodingLimits><trajectory>cartesian</trajectory></encoding></ismrmrdHeader>'
  );
}
