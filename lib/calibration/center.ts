// The fully sampled centre of a mask.
import type { SamplingMask } from '../sampling/mask.js';

/** Sides of a block of k-space around its centre. */
export interface CenterSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Largest block around the centre of k-space of which every position is sampled, grown by one row and one column in turn.
 *
 * The centre is sample floor(n/2) of each axis; for a block of even length the extra sample lies before it. A mask [kx] bounds only the
 * columns: `rows` is then `readout`. Both are 0 where the centre itself is not sampled.
 *
 * @param mask Shape [kx] or [ky, kx]. @param readout Length of the ky axis, for a mask [kx].
 */
export function sampledCenter(mask: SamplingMask, readout: number): CenterSize {
  const nx = mask.shape.at(-1) as number;
  const ny = mask.shape.length === 1 ? 1 : mask.shape[0];
  const sampled = (rows: number, columns: number): boolean => {
    const row = Math.floor(ny / 2) - Math.floor(rows / 2);
    const column = Math.floor(nx / 2) - Math.floor(columns / 2);
    if (row < 0 || column < 0 || row + rows > ny || column + columns > nx) return false;
    for (let y = row; y < row + rows; y += 1)
      for (let x = column; x < column + columns; x += 1) if (mask.data[y * nx + x] === 0) return false;
    return true;
  };
  if (!sampled(1, 1)) return { rows: 0, columns: 0 };
  let rows = 1;
  let columns = 1;
  for (let more = true; more; ) {
    more = false;
    if (sampled(rows + 1, columns)) {
      rows += 1;
      more = true;
    }
    if (sampled(rows, columns + 1)) {
      columns += 1;
      more = true;
    }
  }
  return { rows: mask.shape.length === 1 ? readout : rows, columns };
}
