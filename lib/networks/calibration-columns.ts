// The columns of k-space that a VarNet makes its coil maps of, as fastMRI finds them in a mask.
import { LarmorError } from '../errors.js';

/**
 * 1 in the fully sampled centre of a mask of columns, 0 elsewhere: as many columns on either side of the middle as are sampled without
 * a gap on both.
 *
 * @throws LarmorError `ERR_MASK` when there are none.
 */
export function calibrationColumns(mask: Float32Array): Float32Array {
  const width = mask.length;
  const middle = width >> 1;
  let half = 0;
  while (half < middle && mask[middle + half] === 1 && mask[middle - 1 - half] === 1) half += 1;
  if (half === 0)
    throw new LarmorError(
      'ERR_MASK',
      `varnet: the two columns at the middle of k-space, ${middle - 1} and ${middle}, must be measured: coil maps are made of them`,
    );
  const start = (width - 2 * half + 1) >> 1;
  return Float32Array.from(mask, (_, x) => (x >= start && x < start + 2 * half ? 1 : 0));
}
