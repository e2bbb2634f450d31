// Which element type an HDF5 dataset holds, and its conversion to what readers ask for.
import type { Metadata } from 'h5wasm/node';
import { LarmorError } from '../../errors.js';
import type { ElementType, ReadAs } from './protocol.js';

// HDF5's H5T_class_t
const INTEGER = 0;
const FLOAT = 1;
const STRING = 3;
const COMPOUND = 6;
const ENUM = 8; // booleans of h5py
const VLEN = 9;

const COMPLEX_NAMES = ['r,i', 'real,imag']; // h5py, ISMRMRD

export function elementType(metadata: Metadata): ElementType {
  const { type, size, compound_type: compound } = metadata;
  if (type === STRING) return 'text';
  if (type === INTEGER || type === ENUM) return 'integer';
  if (type === FLOAT) return size === 4 ? 'float32' : size === 8 ? 'float64' : 'other';
  if (type !== COMPOUND || compound === undefined) return 'other';
  if (isAcquisition(metadata)) return 'acquisition';
  if (compound.members.length !== 2) return 'other';
  const [re, im] = compound.members;
  const paired =
    COMPLEX_NAMES.includes(`${re.name},${im.name}`) &&
    re.type === FLOAT &&
    im.type === FLOAT &&
    re.offset === 0 &&
    2 * re.size === size &&
    im.offset === re.size &&
    im.size === re.size;
  if (!paired) return 'other';
  return size === 8 ? 'complex64' : size === 16 ? 'complex128' : 'other';
}

/** Whether records are ISMRMRD acquisitions: a header, trajectory and samples of any length. */
function isAcquisition({ compound_type: compound }: Metadata): boolean {
  const [head, trajectory, samples] = ['head', 'traj', 'data'].map((name) =>
    compound?.members.find((member) => member.name === name),
  );
  const { vlen_type: sample } = samples ?? {};
  return head?.type === COMPOUND && trajectory?.type === VLEN && sample?.type === FLOAT && sample.size === 4;
}

function integers(bytes: ArrayBuffer, { size, signed }: Metadata): ArrayLike<number> {
  switch (size) {
    case 1:
      return signed ? new Int8Array(bytes) : new Uint8Array(bytes);
    case 2:
      return signed ? new Int16Array(bytes) : new Uint16Array(bytes);
    case 4:
      return signed ? new Int32Array(bytes) : new Uint32Array(bytes);
    default:
      return Array.from(signed ? new BigInt64Array(bytes) : new BigUint64Array(bytes), Number);
  }
}

/**
 * The elements in `bytes`, as stored, in the form `as`.
 *
 * @throws LarmorError `ERR_FILE_FORMAT` when the dataset holds another kind of element.
 */
export function convertElements(
  name: string,
  bytes: ArrayBuffer,
  metadata: Metadata,
  as: ReadAs,
): Float32Array<ArrayBuffer> {
  const stored = elementType(metadata);
  const complex = stored === 'complex64' || stored === 'complex128';
  if (stored === 'text' || stored === 'acquisition' || stored === 'other' || complex !== (as === 'complex64'))
    throw new LarmorError('ERR_FILE_FORMAT', `dataset "${name}" holds ${stored} elements where ${as} is wanted`);
  if (stored === 'integer') return Float32Array.from(integers(bytes, metadata));
  return stored === 'complex128' || stored === 'float64'
    ? new Float32Array(new Float64Array(bytes))
    : new Float32Array(bytes);
}
