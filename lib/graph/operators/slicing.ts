// Python's slices: which elements of which axes.
import type { Shape } from '../../arrays/complex-array.js';
import { attributeError, normaliseAxes } from './define.js';

/** What a slice takes of one axis of length n: `count` elements from `start` in steps of `step`. */
export interface Range {
  axis: number;
  n: number;
  start: number;
  step: number;
  count: number;
}

/** Lists of one entry per sliced axis. */
export interface SliceAttributes {
  starts: readonly number[];
  ends: readonly number[];
  axes: readonly number[];
  steps: readonly number[];
}

/** Python's rules for slices: negative indices count from the end, indices out of range are clamped. */
export function sliceRanges(shape: Shape, { starts, ends, axes, steps }: SliceAttributes): Range[] {
  if ([starts, ends, steps].some((list) => list.length !== axes.length))
    attributeError('Slice', 'starts, ends and steps', `lists of ${axes.length} numbers, one per axis`, [
      starts,
      ends,
      steps,
    ]);
  return normaliseAxes('Slice', axes, shape.length).map((axis, i) => {
    const n = shape[axis];
    const step = steps[i];
    if (!Number.isInteger(step) || step === 0) attributeError('Slice', 'steps', 'whole numbers other than 0', steps);
    const clamp = (index: number): number => {
      const positive = index < 0 ? index + n : index;
      return step > 0 ? Math.min(Math.max(positive, 0), n) : Math.min(Math.max(positive, -1), n - 1);
    };
    const start = clamp(starts[i]);
    return { axis, n, start, step, count: Math.max(0, Math.ceil((clamp(ends[i]) - start) / step)) };
  });
}
