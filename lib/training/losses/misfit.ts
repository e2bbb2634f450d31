// How far values are from those they should have, relative to these: the norms that losses share.
import { abs, add, divide, multiply, reduceSum, reshape, sqrt } from '../../graph/operations.js';
import type { Value } from '../../graph/types.js';

export const NORMS = ['l1', 'l2', 'l1-l2'] as const;

/**
 * Of a difference d to a reference r. `l1`: sum(|Re d| + |Im d|) / sum(|Re r| + |Im r|). `l2`: ||d|| / ||r||. `l1-l2`: the mean of both,
 * as SSDU has it.
 */
export type Norm = (typeof NORMS)[number];

/** Keeps the misfit of no samples at zero, and the slope of l2 finite there; sums are of the order of their number of terms. */
const FLOOR = 1e-12;

/** [1], over all elements; the reference carries no gradient as long as it depends on data alone. */
export function relativeMisfit(difference: Value, reference: Value, norm: Norm): Value {
  if (norm === 'l1-l2')
    return mean(relativeMisfit(difference, reference, 'l1'), relativeMisfit(difference, reference, 'l2'));
  const total = (x: Value): Value => reduceSum(norm === 'l1' ? abs(x) : multiply(x, x));
  const floor = norm === 'l1' ? FLOOR : FLOOR ** 2;
  const ratio = divide(total(difference), add(total(reference), floor));
  return reshape(norm === 'l1' ? ratio : sqrt(add(ratio, FLOOR ** 2)), [1]);
}

/** Of two misfits. */
export const mean = (a: Value, b: Value): Value => multiply(add(a, b), 0.5);
