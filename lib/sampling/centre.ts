// The fully sampled centre of k-space, as a mask tells it.
import type { SamplingMask } from './mask.js';

/** Sides of the fully sampled centre: `rows` along ky (the readout), `columns` along kx (phase encode); 0 where the middle is not sampled. */
export interface SampledCentre {
  readonly rows: number;
  readonly columns: number;
}

/**
 * The block around the middle of k-space of which every position is sampled, grown a row and a column on every side in turn as far as it
 * goes. Under a mask of lines it is all rows by the run of lines through the middle.
 */
export function sampledCentre({ data, shape }: SamplingMask, rows: number): SampledCentre {
  const columns = shape[shape.length - 1];
  const lines = shape.length === 1; // one row stands for all
  const height = lines ? 1 : rows;
  let [top, left] = [height >> 1, columns >> 1];
  let [bottom, right] = [top + 1, left + 1];
  const sampled = (y: number, x: number): boolean => data[y * columns + x] === 1;
  if (!sampled(top, left)) return { rows: 0, columns: 0 };
  const fullColumn = (x: number): boolean => {
    if (x < 0 || x >= columns) return false;
    for (let y = top; y < bottom; y += 1) if (!sampled(y, x)) return false;
    return true;
  };
  const fullRow = (y: number): boolean => {
    if (y < 0 || y >= height) return false;
    for (let x = left; x < right; x += 1) if (!sampled(y, x)) return false;
    return true;
  };
  for (let grown = true; grown; ) {
    grown = false;
    if (fullColumn(left - 1)) [left, grown] = [left - 1, true];
    if (fullColumn(right)) [right, grown] = [right + 1, true];
    if (fullRow(top - 1)) [top, grown] = [top - 1, true];
    if (fullRow(bottom)) [bottom, grown] = [bottom + 1, true];
  }
  return { rows: lines ? rows : bottom - top, columns: right - left };
}
