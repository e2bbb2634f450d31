// A scan on disk, whatever its format: k-space slice by slice, its sampling and its reference.
import type { ComplexArray, RealArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { SamplingMask } from '../sampling/mask.js';
import { isCflPath } from './cfl.js';
import { openCflScan } from './cfl-scan.js';
import { openFastmri, outlineFastmri } from './fastmri.js';
import type { AttributeValue } from './hdf5/protocol.js';
import { Hdf5Reader, isHdf5 } from './hdf5/reader.js';
import { ismrmrdGroups, openIsmrmrd } from './ismrmrd.js';
import { type Choice, type ScanContents, SELECTORS } from './ismrmrd-acquisitions.js';
import type { ScanHeader } from './ismrmrd-header.js';

/** What every read of a scan accepts; an abort rejects with `signal.reason`. */
export interface ScanReadOptions {
  signal?: AbortSignal | undefined;
}

/** Which part of an ISMRMRD file to read. */
export interface ScanOptions extends ScanReadOptions, Choice {
  /** Group of the file. Default: the only one, or `dataset`. */
  readonly dataset?: string | undefined;
}

/**
 * K-space on disk, 2-D slice by 2-D slice. A 3-D scan is decoupled along its fully sampled readout by a unitary inverse
 * transform: its slices are the readout positions, its matrix is [second, first phase encode].
 *
 * Close it, or declare it with `await using`; it does not keep the process alive.
 */
export interface Scan extends AsyncDisposable {
  readonly path: string;
  /** Base name of the file; the default seed of simulated masks, as in fastMRI. */
  readonly name: string;
  readonly format: 'fastmri' | 'ismrmrd' | 'cfl';
  readonly slices: number;
  readonly coils: number;
  /** 2 for 3-D scans. */
  readonly phaseEncodes: 1 | 2;
  /** [ky, kx]: readout, phase encode; of 3-D scans second, first phase encode. */
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
  /** Bytes of memory that reading takes beside the slices handed out. */
  readonly workingBytes: number;
  /** Of ISMRMRD files: what they hold, and what of it is read. */
  readonly contents?: ScanContents | undefined;
  /** K-space [coil, ky, kx] of one slice. @throws LarmorError `ERR_NOT_FINITE`; `ERR_FILE_FORMAT`; `ERR_ARGUMENT`. */
  readKspace(slice: number, options?: ScanReadOptions): Promise<ComplexArray>;
  /** The reference image of one slice, cropped to `imageShape`; undefined when the file has none. */
  readReference(slice: number, options?: ScanReadOptions): Promise<RealArray | undefined>;
  /**
   * Noise [coil, sample] of scans without signal, scaled to the deviation of the noise in k-space; undefined where the file
   * has none. @throws LarmorError as `readKspace`.
   */
  readNoise(options?: ScanReadOptions): Promise<ComplexArray | undefined>;
  close(): Promise<void>;
}

/**
 * Opens a scan, telling its format by its content; BART's by the ending `.cfl` or `.hdr`.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when the file is truncated, corrupt or of no known format;
 *   `ERR_MASK` when its mask does not fit its k-space; `ERR_ARGUMENT` for a part the file does not have.
 * @example await using scan = await openScan('brain.h5');
 */
export async function openScan(path: string, options: ScanOptions = {}): Promise<Scan> {
  if (isCflPath(path)) {
    expectWhole(path, options);
    return openCflScan(path, options);
  }
  if (!(await isHdf5(path)))
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path} is not a scan larmor can read: HDF5 in the layout of fastMRI or ISMRMRD, or BART's .cfl, is wanted`,
    );
  const file = await Hdf5Reader.open(path, options);
  try {
    if (scanFormat(file) === 'ismrmrd') return await openIsmrmrd(path, file, options);
    expectWhole(path, options);
    return await openFastmri(path, file, options);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What tells scans apart before any of their samples are read. */
export type ScanOutline = Pick<Scan, 'slices' | 'coils' | 'matrix' | 'acquisition'>;

/** As `openScan`, but sampling, references and other parts are not looked at, so that one of many can be picked quickly. */
export async function outlineScan(path: string, options: ScanReadOptions = {}): Promise<ScanOutline> {
  if (!isCflPath(path) && (await isHdf5(path))) {
    const file = await Hdf5Reader.open(path, options);
    try {
      if (scanFormat(file) === 'fastmri') return outlineFastmri(path, file);
    } finally {
      await file.close();
    }
  }
  await using scan = await openScan(path, options);
  const { slices, coils, matrix, acquisition } = scan;
  return { slices, coils, matrix, acquisition };
}

function expectWhole(path: string, options: ScanOptions): void {
  const part = [...SELECTORS, 'dataset' as const].find((name) => options[name] !== undefined);
  if (part !== undefined)
    throw new LarmorError('ERR_ARGUMENT', `${path} is no ISMRMRD file, so that no ${part} can be chosen`);
}

/** The format of the scan in an HDF5 file; undefined where it holds none. */
export function scanFormat(file: Hdf5Reader): Scan['format'] | undefined {
  if (file.datasets.has('kspace')) return 'fastmri';
  return ismrmrdGroups(file).length > 0 ? 'ismrmrd' : undefined;
}
