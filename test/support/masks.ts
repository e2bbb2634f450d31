// Small sampling masks for tests: irregular, with unsampled columns.
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { syntheticKspace } from './scans.js';

/** About a third of the columns, and always the central one. */
export function lineMask(columns: number): SamplingMask {
  const random = new MT19937(columns);
  const data = Uint8Array.from({ length: columns }, (_, x) =>
    x === Math.floor(columns / 2) || random.uniform() < 0.3 ? 1 : 0,
  );
  return { data, shape: [columns] };
}

/** The columns that `keep` accepts. */
export function columnsWhere(columns: number, keep: (column: number) => boolean): SamplingMask {
  return { data: Uint8Array.from({ length: columns }, (_, x) => (keep(x) ? 1 : 0)), shape: [columns] };
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

/** Lines: every `acceleration`th column and the centre. Points: a seeded draw, the same centre in both directions. */
export function centredMask(
  ny: number,
  nx: number,
  centre: number,
  kind: 'lines' | 'points',
  acceleration: number,
): SamplingMask {
  const random = new MT19937(7);
  const inCentre = (i: number, n: number): boolean => i >= (n - centre) >> 1 && i < (n + centre) >> 1;
  if (kind === 'lines')
    return {
      data: Uint8Array.from({ length: nx }, (_, x) => Number(x % acceleration === 0 || inCentre(x, nx))),
      shape: [nx],
    };
  const data = Uint8Array.from({ length: ny * nx }, (_, i) => {
    const drawn = random.uniform() < 1 / acceleration;
    return Number(drawn || (inCentre(Math.floor(i / nx), ny) && inCentre(i % nx, nx)));
  });
  return { data, shape: [ny, nx] };
}

/** k-space [coil, ky, kx] with zeros where the mask is. */
export function masked({ data, shape }: ComplexArray, mask: SamplingMask): ComplexArray {
  const period = mask.data.length;
  return { data: data.map((value, i) => (mask.data[(i >> 1) % period] === 1 ? value : 0)), shape };
}

/** k-space of `syntheticKspace` with noise of one hundredth of the object. */
export async function noisyScan(coils: number, size: number): Promise<ComplexArray> {
  return await syntheticKspace({ slices: 1, coils, size, noise: 1e-2 }, 1);
}
