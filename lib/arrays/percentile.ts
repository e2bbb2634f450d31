// Order statistics without a full sort.
import { LarmorError } from '../errors.js';

/**
 * The q-th percentile of `values`, interpolated linearly between order statistics as NumPy's default does.
 *
 * Cost: expected linear time (Hoare's selection on a copy).
 *
 * @param q Between 0 and 100.
 * @throws LarmorError `ERR_ARGUMENT` when `values` is empty or q lies outside 0..100.
 */
export function percentile(values: Float32Array, q: number): number {
  if (values.length === 0 || !(q >= 0 && q <= 100))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `percentile: wants at least one value and q in 0..100, got ${values.length} values, q ${q}`,
    );
  const position = (q / 100) * (values.length - 1);
  const below = Math.floor(position);
  const copy = values.slice();
  const lower = select(copy, below);
  if (position === below) return lower;
  let upper = Number.POSITIVE_INFINITY; // selection left every larger value behind `below`
  for (let i = below + 1; i < copy.length; i += 1) upper = Math.min(upper, copy[i]);
  return lower + (position - below) * (upper - lower);
}

/** Reorders `a` so that a[k] is its k-th smallest value with nothing larger before and nothing smaller behind. */
function select(a: Float32Array, k: number): number {
  let low = 0;
  let high = a.length - 1;
  while (low < high) {
    const pivot = a[(low + high) >> 1];
    let i = low;
    let j = high;
    while (i <= j) {
      while (a[i] < pivot) i += 1;
      while (a[j] > pivot) j -= 1;
      if (i <= j) {
        const swap = a[i];
        a[i] = a[j];
        a[j] = swap;
        i += 1;
        j -= 1;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return a[k];
}
