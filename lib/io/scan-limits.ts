// What every format checks of a scan before it reads.
import { formatShape, points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';

/** Largest slice read, in bytes: 64 coils of 1536 x 1024 samples take 0.8 GB. Larger ones are a corrupt or hostile shape. */
const MAX_SLICE_BYTES = 2 ** 30;

/** @throws LarmorError `ERR_FILE_FORMAT` when the k-space [coil, row, column] of one slice is larger than any real one. */
export function expectSliceSize(path: string, shape: Shape): void {
  const bytes = 8 * points(shape);
  if (bytes > MAX_SLICE_BYTES)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path}: one slice of kspace ${formatShape(shape)} would take ${(bytes / 2 ** 30).toPrecision(3)} GiB, the limit is 1`,
    );
}

/** @throws LarmorError `ERR_ARGUMENT` unless `slice` is one of `slices`. */
export function expectSlice(who: string, slice: number, slices: number): void {
  if (!Number.isInteger(slice) || slice < 0 || slice >= slices)
    throw new LarmorError('ERR_ARGUMENT', `${who}: slice must be 0 to ${slices - 1}, got ${slice}`);
}
