// Small sampling masks for tests: irregular, with unsampled columns.
import { MT19937 } from '#larmor/arrays/mt19937.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';

/** About a third of the columns, and always the central one. */
export function lineMask(columns: number): SamplingMask {
  const random = new MT19937(columns);
  const data = Uint8Array.from({ length: columns }, (_, x) =>
    x === Math.floor(columns / 2) || random.uniform() < 0.3 ? 1 : 0,
  );
  return { data, shape: [columns] };
}

/** About half of the points of the columns of `lineMask`. */
export function pointMask(rows: number, columns: number): SamplingMask {
  const lines = lineMask(columns).data;
  const random = new MT19937(rows);
  const data = Uint8Array.from({ length: rows * columns }, (_, i) =>
    lines[i % columns] === 1 && random.uniform() < 0.5 ? 1 : 0,
  );
  return { data, shape: [rows, columns] };
}
