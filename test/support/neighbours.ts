// GRAPPA and SPIRiT by their definitions: plain loops in double precision, all patches written out, systems solved by elimination.
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import type { CalibrationRegion } from '#larmor/calibration/calibration-data.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';

interface Complex {
  readonly re: number;
  readonly im: number;
}

const ZERO: Complex = { re: 0, im: 0 };
const add = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im });
const times = (a: Complex, b: Complex): Complex => ({ re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re });
const conjugate = (a: Complex): Complex => ({ re: a.re, im: -a.im });

/** The solution of A X = B for matrices as rows, by elimination with row pivoting. Overwrites both. */
export function solve(a: Complex[][], b: Complex[][]): Complex[][] {
  const n = a.length;
  const size = (v: Complex): number => Math.hypot(v.re, v.im);
  for (let k = 0; k < n; k += 1) {
    let pivot = k;
    for (let i = k + 1; i < n; i += 1) if (size(a[i][k]) > size(a[pivot][k])) pivot = i;
    [a[k], a[pivot]] = [a[pivot], a[k]];
    [b[k], b[pivot]] = [b[pivot], b[k]];
    const inverse = times(conjugate(a[k][k]), { re: 1 / size(a[k][k]) ** 2, im: 0 });
    for (const rows of [a, b]) rows[k] = rows[k].map((value) => times(value, inverse));
    for (let i = 0; i < n; i += 1) {
      const factor = times(a[i][k], { re: -1, im: 0 });
      if (i === k || (factor.re === 0 && factor.im === 0)) continue;
      for (const rows of [a, b]) rows[i] = rows[i].map((value, j) => add(value, times(factor, rows[k][j])));
    }
  }
  return b;
}

export interface DirectOptions {
  readonly mask: SamplingMask;
  readonly kernel: readonly [number, number];
  readonly lambda: number;
  readonly calibration: CalibrationRegion;
}

/** Sample of k-space at [coil, y, x] within a block; zero outside. */
function sampler({ data, shape: [, ny, nx] }: ComplexArray, { row, rows, column, columns }: CalibrationRegion) {
  return (coil: number, y: number, x: number): Complex => {
    if (y < row || y >= row + rows || x < column || x >= column + columns) return ZERO;
    const i = 2 * ((coil * ny + y) * nx + x);
    return { re: data[i], im: data[i + 1] };
  };
}

/** The normal matrix of these vectors, as Tikhonov regularised: S^H S + lambda |S^H S| / n. */
export function normalMatrix(patches: Complex[][], lambda: number): Complex[][] {
  const n = patches[0].length;
  const matrix = Array.from({ length: n }, () => Array.from({ length: n }, () => ({ re: 0, im: 0 })));
  for (const patch of patches)
    for (let i = 0; i < n; i += 1)
      for (let j = 0; j < n; j += 1) {
        matrix[i][j].re += patch[i].re * patch[j].re + patch[i].im * patch[j].im;
        matrix[i][j].im += patch[i].re * patch[j].im - patch[i].im * patch[j].re;
      }
  const norm = Math.sqrt(matrix.flat().reduce((sum, { re, im }) => sum + re * re + im * im, 0));
  for (let i = 0; i < n; i += 1) matrix[i][i].re += (lambda * norm) / n;
  return matrix;
}

/** Entries [row, column] of a window, from its centre. */
function windowOffsets([rows, columns]: readonly [number, number]): (readonly [number, number])[] {
  const [top, left] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  return Array.from(
    { length: rows * columns },
    (_, i) => [Math.floor(i / columns) - top, (i % columns) - left] as const,
  );
}

/** Every patch of the region in the coils' entries `offsets`: [patch][coil * offsets.length + offset]. Even sides reach one beyond. */
export function regionPatches(
  kspace: ComplexArray,
  { kernel, calibration }: Pick<DirectOptions, 'kernel' | 'calibration'>,
  offsets: readonly (readonly [number, number])[],
): Complex[][] {
  const [coils] = kspace.shape;
  const at = sampler(kspace, calibration);
  const patches: Complex[][] = [];
  for (let y = 0; y < calibration.rows + (kernel[0] % 2 === 0 ? 1 : 0); y += 1)
    for (let x = 0; x < calibration.columns + (kernel[1] % 2 === 0 ? 1 : 0); x += 1)
      patches.push(
        Array.from({ length: coils }, (_, coil) =>
          offsets.map(([dy, dx]) => at(coil, calibration.row + y + dy, calibration.column + x + dx)),
        ).flat(),
      );
  return patches;
}

export function directGrappa(
  kspace: ComplexArray,
  options: DirectOptions,
): { kspace: ComplexArray; patterns: number; unfilled: number } {
  const [coils, ny, nx] = kspace.shape;
  const { mask, kernel, lambda } = options;
  const sampled = (y: number, x: number): boolean =>
    y >= 0 && y < ny && x >= 0 && x < nx && mask.data[mask.shape.length === 1 ? x : y * nx + x] === 1;
  const at = sampler(kspace, { row: 0, rows: ny, column: 0, columns: nx });
  const targets = regionPatches(kspace, options, [[0, 0]]);
  const weightsOf = new Map<string, Complex[][]>();
  const filled = complexZeros(kspace.shape);
  filled.data.set(kspace.data);
  let unfilled = 0;
  for (let y = 0; y < ny; y += 1)
    for (let x = 0; x < nx; x += 1) {
      if (sampled(y, x)) continue;
      const offsets = windowOffsets(kernel).filter(([dy, dx]) => sampled(y + dy, x + dx));
      if (offsets.length === 0) {
        unfilled += 1;
        continue;
      }
      const key = JSON.stringify(offsets);
      let weights = weightsOf.get(key);
      if (!weights) {
        const sources = regionPatches(kspace, options, offsets);
        const rhs = sources[0].map((_, i) =>
          targets[0].map((_, c) =>
            sources.reduce((sum, patch, p) => add(sum, times(conjugate(patch[i]), targets[p][c])), ZERO),
          ),
        );
        weights = solve(normalMatrix(sources, lambda), rhs);
        weightsOf.set(key, weights);
      }
      const samples = Array.from({ length: coils }, (_, c) => offsets.map(([dy, dx]) => at(c, y + dy, x + dx))).flat();
      for (let c = 0; c < coils; c += 1) {
        const { re, im } = samples.reduce((sum, value, i) => add(sum, times(value, weights[i][c])), ZERO);
        filled.data.set([re, im], 2 * ((c * ny + y) * nx + x));
      }
    }
  return { kspace: filled, patterns: weightsOf.size, unfilled };
}

export interface DirectSpiritOptions extends DirectOptions {
  readonly regularisation: number;
}

/** SPIRiT by its definition: (G - I) as one dense matrix over all samples, k-space periodic, the missing ones by elimination. */
export function directSpirit(kspace: ComplexArray, options: DirectSpiritOptions): ComplexArray {
  const [coils, ny, nx] = kspace.shape;
  const { mask, kernel, lambda, calibration, regularisation } = options;
  const offsets = windowOffsets(kernel);
  const [k, plane] = [offsets.length, ny * nx];
  const centre = offsets.findIndex(([dy, dx]) => dy === 0 && dx === 0);
  // Patches within the region: those centred where the window fits.
  const [top, left] = [Math.floor(kernel[0] / 2), Math.floor(kernel[1] / 2)];
  const inner = {
    row: calibration.row + top,
    rows: calibration.rows - kernel[0] + 1,
    column: calibration.column + left,
    columns: calibration.columns - kernel[1] + 1,
  };
  const patches: Complex[][] = [];
  const at = sampler(kspace, calibration);
  for (let y = inner.row; y < inner.row + inner.rows; y += 1)
    for (let x = inner.column; x < inner.column + inner.columns; x += 1)
      patches.push(Array.from({ length: coils }, (_, c) => offsets.map(([dy, dx]) => at(c, y + dy, x + dx))).flat());
  const normal = normalMatrix(patches, lambda);
  const excess = Array.from({ length: coils * plane }, () => Array.from({ length: coils * plane }, () => ZERO));
  for (let c = 0; c < coils; c += 1) {
    const own = c * k + centre;
    const others = normal.map((_, i) => i).filter((i) => i !== own);
    const weights = solve(
      others.map((i) => others.map((j) => normal[i][j])),
      others.map((i) => [normal[i][own]]),
    );
    for (let y = 0; y < ny; y += 1)
      for (let x = 0; x < nx; x += 1) {
        const row = excess[(c * ny + y) * nx + x];
        row[(c * ny + y) * nx + x] = { re: -1, im: 0 };
        others.forEach((entry, i) => {
          const [dy, dx] = offsets[entry % k];
          const [v, u] = [(y + dy + ny) % ny, (x + dx + nx) % nx];
          const to = (Math.floor(entry / k) * ny + v) * nx + u;
          row[to] = add(row[to], weights[i][0]);
        });
      }
  }
  const measured = (i: number): boolean => mask.data[mask.shape.length === 1 ? i % nx : i % plane] === 1;
  const positions = excess.map((_, i) => i);
  const missing = positions.filter((i) => !measured(i));
  const sample = (i: number): Complex => (measured(i) ? { re: kspace.data[2 * i], im: kspace.data[2 * i + 1] } : ZERO);
  const known = excess.map((row) => row.reduce((sum, value, i) => add(sum, times(value, sample(i))), ZERO));
  const product = (i: number, values: (row: number) => Complex): Complex =>
    positions.reduce((sum, p) => add(sum, times(conjugate(excess[p][i]), values(p))), ZERO);
  const x = solve(
    missing.map((i) =>
      missing.map((j) =>
        add(
          product(i, (p) => excess[p][j]),
          { re: i === j ? regularisation : 0, im: 0 },
        ),
      ),
    ),
    missing.map((i) => [
      times(
        product(i, (p) => known[p]),
        { re: -1, im: 0 },
      ),
    ]),
  );
  const filled = complexZeros(kspace.shape);
  positions.forEach((i) => {
    const { re, im } = sample(i);
    filled.data.set([re, im], 2 * i);
  });
  missing.forEach((i, j) => {
    filled.data.set([x[j][0].re, x[j][0].im], 2 * i);
  });
  return filled;
}
