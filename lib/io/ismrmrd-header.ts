// The ISMRMRD header, of ISMRMRD and of fastMRI files: matrix sizes and encoding limits out of its XML.
import { XMLParser } from 'fast-xml-parser';
import { LarmorError } from '../errors.js';

/** Sizes along readout, first and second phase encoding. */
export interface MatrixSize {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Limits of a phase encoding: last index and the index of the k-space centre. */
export interface EncodingLimits {
  readonly maximum: number;
  readonly center: number;
}

/** What the ISMRMRD header of a scan says about its geometry; what it leaves out is undefined. */
export interface ScanHeader {
  readonly encodedMatrix: MatrixSize | undefined;
  /** In mm, oversampling included. */
  readonly encodedFieldOfView: MatrixSize | undefined;
  readonly reconMatrix: MatrixSize | undefined;
  /** Of the reconstructed image, in mm. */
  readonly fieldOfView: MatrixSize | undefined;
  readonly phaseEncoding: EncodingLimits | undefined;
  /** Of 3-D scans. */
  readonly secondPhaseEncoding: EncodingLimits | undefined;
  /** `cartesian`, `epi`, `radial` ... */
  readonly trajectory: string | undefined;
  /** `embedded`, `interleaved`, `separate`, `external` or `other`: where the lines for parallel imaging's calibration are. */
  readonly calibrationMode: string | undefined;
  /** What the receiver's filter leaves of the noise's power. */
  readonly noiseBandwidth: number | undefined;
  /** In tesla. */
  readonly fieldStrength: number | undefined;
  readonly system: string | undefined;
}

/** Longest header accepted; real ones take a few kilobytes. */
export const MAX_HEADER_BYTES = 2 ** 20;

const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  processEntities: false, // no entity is expanded, so none can grow
  maxNestedTags: 50,
  isArray: (name) => name === 'encoding',
});

type Tree = Readonly<Record<string, unknown>>;

/**
 * Parses an ISMRMRD header. Fields it lacks are undefined; of several encodings the first counts.
 *
 * @throws LarmorError `ERR_FILE_FORMAT` when it is not well-formed XML of that kind.
 */
export function parseHeader(xml: string, path: string): ScanHeader {
  let root: unknown;
  try {
    root = (parser.parse(xml, true) as Tree).ismrmrdHeader;
  } catch (cause) {
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: ismrmrd_header is not valid XML: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (root === undefined)
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: ismrmrd_header has no element ismrmrdHeader`);
  const encoding = branch(root, 'encoding', '0');
  const limits = branch(encoding, 'encodingLimits');
  const system = branch(root, 'acquisitionSystemInformation');
  return {
    encodedMatrix: triple(branch(encoding, 'encodedSpace', 'matrixSize')),
    encodedFieldOfView: extent(branch(encoding, 'encodedSpace', 'fieldOfView_mm')),
    reconMatrix: triple(branch(encoding, 'reconSpace', 'matrixSize')),
    fieldOfView: extent(branch(encoding, 'reconSpace', 'fieldOfView_mm')),
    phaseEncoding: encodingLimits(leaf(limits, 'kspace_encoding_step_1')),
    secondPhaseEncoding: encodingLimits(leaf(limits, 'kspace_encoding_step_2')),
    trajectory: word(leaf(encoding, 'trajectory')),
    calibrationMode: word(branch(encoding, 'parallelImaging', 'calibrationMode')),
    noiseBandwidth: positive(leaf(system, 'relativeReceiverNoiseBandwidth')),
    fieldStrength: positive(leaf(system, 'systemFieldStrength_T')),
    system:
      ['systemVendor', 'systemModel']
        .map((name) => leaf(system, name) ?? '')
        .join(' ')
        .trim() || undefined,
  };
}

function leaf(tree: unknown, name: string): unknown {
  return typeof tree === 'object' && tree !== null && Object.hasOwn(tree, name) ? (tree as Tree)[name] : undefined;
}

function branch(tree: unknown, ...names: readonly string[]): unknown {
  return names.reduce(leaf, tree);
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

function size(value: unknown, least: number): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : undefined;
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.toLowerCase() : undefined;
}

function encodingLimits(tree: unknown): EncodingLimits | undefined {
  const [maximum, center] = ['maximum', 'center'].map((name) => size(leaf(tree, name), 0));
  return maximum !== undefined && center !== undefined ? { maximum, center } : undefined;
}

function triple(tree: unknown): MatrixSize | undefined {
  const [x, y, z] = ['x', 'y', 'z'].map((axis) => size(leaf(tree, axis), 1));
  return x !== undefined && y !== undefined ? { x, y, z: z ?? 1 } : undefined;
}

function extent(tree: unknown): MatrixSize | undefined {
  const [x, y, z] = ['x', 'y', 'z'].map((axis) => positive(leaf(tree, axis)));
  return x !== undefined && y !== undefined && z !== undefined ? { x, y, z } : undefined;
}

/**
 * The kx columns [first, end) a scanner acquired: columns outside were padded with zeros, as fastMRI computes it.
 *
 * @param columns Length of the kx axis; everything counts as acquired when the header does not fit it.
 */
export function acquiredColumns(header: ScanHeader | undefined, columns: number): readonly [number, number] {
  const { encodedMatrix, phaseEncoding } = header ?? {};
  if (!encodedMatrix || !phaseEncoding) return [0, columns];
  const first = Math.floor(encodedMatrix.y / 2) - phaseEncoding.center;
  const end = first + phaseEncoding.maximum + 1;
  return first >= 0 && first < end && end <= columns ? [first, end] : [0, columns];
}
