// A scan on disk, whatever its format: k-space slice by slice, its sampling and its reference.
import type { ComplexArray, RealArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { SamplingMask } from '../sampling/mask.js';
import { openFastmri } from './fastmri.js';
import type { ScanHeader } from './fastmri-header.js';
import type { AttributeValue } from './hdf5/protocol.js';
import { isHdf5 } from './hdf5/reader.js';

/** What every read of a scan accepts; an abort rejects with `signal.reason`. */
export interface ScanReadOptions {
  signal?: AbortSignal | undefined;
}

/** K-space on disk. Close it, or declare it with `await using`; it does not keep the process alive. */
export interface Scan extends AsyncDisposable {
  readonly path: string;
  /** Base name of the file; the default seed of simulated masks, as in fastMRI. */
  readonly name: string;
  readonly format: 'fastmri';
  readonly slices: number;
  readonly coils: number;
  /** [ky, kx]: readout, phase encode. */
  readonly matrix: readonly [number, number];
  /** [y, x] of the image after the centre crop to the reference or to the header's reconstruction matrix. */
  readonly imageShape: readonly [number, number];
  /** kx columns [first, end) that were acquired; those outside are zero in every scan of this size. */
  readonly acquiredColumns: readonly [number, number];
  readonly acquisition: string | undefined;
  readonly header: ScanHeader | undefined;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Which samples were measured: stated by the file, or else where its middle slice is not zero; none if all were. */
  readonly mask: SamplingMask | undefined;
  readonly fullySampled: boolean;
  readonly hasReference: boolean;
  /** K-space [coil, ky, kx] of one slice. @throws LarmorError `ERR_NOT_FINITE`; `ERR_FILE_FORMAT`; `ERR_ARGUMENT`. */
  readKspace(slice: number, options?: ScanReadOptions): Promise<ComplexArray>;
  /** The reference image of one slice, cropped to `imageShape`; undefined when the file has none. */
  readReference(slice: number, options?: ScanReadOptions): Promise<RealArray | undefined>;
  close(): Promise<void>;
}

/**
 * Opens a scan, telling its format by its content.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when the file is truncated, corrupt or of no known format;
 *   `ERR_MASK` when its mask does not fit its k-space.
 * @example await using scan = await openScan('brain.h5');
 */
export async function openScan(path: string, options: ScanReadOptions = {}): Promise<Scan> {
  if (await isHdf5(path)) return openFastmri(path, options);
  throw new LarmorError('ERR_FILE_FORMAT', `${path} is not a scan larmor can read: HDF5 in fastMRI's layout is wanted`);
}
