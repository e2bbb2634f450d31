// What is asked of k-space before anything is done with it.
import { type ComplexArray, expectComplex, formatShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { expectMask, type SamplingMask } from './mask.js';

/** The sizes of k-space [coil, ky, kx]. @throws LarmorError `ERR_SHAPE`; `ERR_MASK` unless the mask fits, where there is one. */
export function expectKspace(
  who: string,
  kspace: ComplexArray,
  mask?: SamplingMask | undefined,
): readonly [coils: number, ny: number, nx: number] {
  if (kspace.shape.length !== 3 || kspace.shape.includes(0))
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: kspace must have shape [coil,ky,kx], none of them 0, got ${formatShape(kspace.shape)}`,
    );
  expectComplex(who, 'kspace', kspace, kspace.shape);
  const [coils, ny, nx] = kspace.shape;
  if (mask) expectMask(who, mask, ny, nx);
  return [coils, ny, nx];
}
