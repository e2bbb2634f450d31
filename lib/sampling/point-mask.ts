// Masks of single k-space points, for the two phase encodings of 3-D scans.
import { MT19937, type Seed } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';
import { expectMask, type SamplingMask } from './mask.js';

/** Names of the ways to draw points: see `createPointMask`. */
export const POINT_MASK_TYPES = ['poisson', 'grid', 'random_points'] as const;

/** Ways to draw points: see `createPointMask`. */
export type PointMaskType = (typeof POINT_MASK_TYPES)[number];

/** What `createPointMask` draws. */
export interface PointMaskOptions {
  /** Default: random_points. */
  readonly type?: PointMaskType | undefined;
  /** [ky, kx]; of 3-D scans second, first phase encode. */
  readonly shape: readonly [number, number];
  /** Wanted acceleration, at least 1; a whole number for `grid`. */
  readonly acceleration: number;
  /** Points, along both axes or each, of the central block that is fully sampled. Default: 0. */
  readonly center?: number | readonly [number, number] | undefined;
  readonly seed: Seed;
}

interface Draw {
  readonly random: MT19937;
  readonly rows: number;
  readonly columns: number;
  readonly acceleration: number;
  /** 1 within the central block. */
  readonly center: Uint8Array;
}

/** Of the samples in the centre: few, but of two phase encodes enough for calibration. */
const CENTER_SHARE = 0.1;
/** Points along an axis: patches of 6 x 6 then have enough places. */
const LEAST_CENTER = 12;
/** In `poisson` the distance between points grows from the centre to the middle of the edges by this factor, less one. */
const GROWTH = 1;
/** Bisections of the distance: enough to tell apart counts that differ by one point in thousands. */
const BISECTIONS = 12;

const DRAWS: Record<PointMaskType, (draw: Draw) => Uint8Array> = {
  poisson: poissonDisc,
  grid: evenGrid,
  random_points: independentPoints,
};

function fail(option: string, want: string, got: unknown): never {
  throw new LarmorError('ERR_ARGUMENT', `createPointMask: ${option} must be ${want}, got ${String(got)}`);
}

/**
 * Draws single k-space points, for two phase-encode axes, beside a fully sampled central block.
 *
 * `poisson` keeps points apart, by a distance that doubles from the centre to the edge, and holds exactly
 * ky kx / acceleration points, centre included. `grid` keeps every a-th row and b-th column, a b = acceleration, as nearly
 * square as can be; the centre comes on top. `random_points` keeps points independently, ky kx / acceleration in the mean.
 *
 * Cost: `poisson` takes some tens of milliseconds for 256 x 256 points.
 *
 * @returns Mask of shape [ky, kx].
 * @throws LarmorError `ERR_ARGUMENT` for options outside their range; `ERR_MASK` if nothing was drawn.
 * @see Bridson, Fast Poisson disk sampling in arbitrary dimensions, SIGGRAPH sketches 2007, for the property; Lustig et al., Magn Reson
 *   Med 2007;58:1182-1195, for the variable density.
 */
export function createPointMask(options: PointMaskOptions): SamplingMask {
  const { type = 'random_points', shape, acceleration, center = 0, seed } = options;
  const [rows, columns] = shape;
  if (!POINT_MASK_TYPES.includes(type)) fail('type', `one of ${POINT_MASK_TYPES.join(', ')}`, type);
  if (!shape.every((n) => Number.isInteger(n) && n > 0)) fail('shape', 'two positive integers', shape);
  if (!(acceleration >= 1 && Number.isFinite(acceleration))) fail('acceleration', 'a number >= 1', acceleration);
  const sides = typeof center === 'number' ? ([center, center] as const) : center;
  if (!sides.every((side, axis) => Number.isInteger(side) && side >= 0 && side <= shape[axis]))
    fail('center', `integers up to ${rows}, ${columns}`, sides);
  const block = centralBlock(shape, sides);
  const draw = { random: new MT19937(seed), rows, columns, acceleration, center: block };
  const data = DRAWS[type](draw).map((bit, i) => bit | block[i]);
  const mask: SamplingMask = { data, shape };
  expectMask('createPointMask', mask, rows, columns);
  return mask;
}

/**
 * Sides of a central block for scans whose maps come from the scan itself: a tenth of the samples, but at least 12 points along
 * each axis, as far as half of the samples go.
 */
export function defaultCenter(
  [rows, columns]: PointMaskOptions['shape'],
  acceleration: number,
): readonly [number, number] {
  const fraction = Math.sqrt(CENTER_SHARE / acceleration);
  const sides = (least: number): readonly [number, number] => [
    Math.min(rows, Math.max(least, Math.round(rows * fraction))),
    Math.min(columns, Math.max(least, Math.round(columns * fraction))),
  ];
  const [height, width] = sides(LEAST_CENTER);
  return height * width <= (rows * columns) / acceleration / 2 ? [height, width] : sides(1);
}

function centralBlock(
  [rows, columns]: readonly [number, number],
  [height, width]: readonly [number, number],
): Uint8Array {
  const top = (rows - height + 1) >> 1;
  const left = (columns - width + 1) >> 1;
  const block = new Uint8Array(rows * columns);
  for (let y = top; y < top + height; y += 1) block.fill(1, y * columns + left, y * columns + left + width);
  return block;
}

function count(data: Uint8Array): number {
  return data.reduce((sum, bit) => sum + bit, 0);
}

function independentPoints({ random, acceleration, center }: Draw): Uint8Array {
  const total = center.length;
  const fixed = count(center);
  const probability = (total / acceleration - fixed) / (total - fixed);
  return Uint8Array.from({ length: total }, () => (random.uniform() < probability ? 1 : 0));
}

function evenGrid({ random, rows, columns, acceleration }: Draw): Uint8Array {
  if (!Number.isInteger(acceleration)) fail('acceleration', 'an integer for type grid', acceleration);
  let fine = Math.floor(Math.sqrt(acceleration));
  while (acceleration % fine !== 0) fine -= 1;
  const coarse = acceleration / fine;
  // The longer axis has more lines to spare.
  const [rowStep, columnStep] = rows > columns ? [coarse, fine] : [fine, coarse];
  const [top, left] = [random.integer(0, rowStep), random.integer(0, columnStep)];
  return Uint8Array.from({ length: rows * columns }, (_, i) => {
    const [y, x] = [Math.floor(i / columns), i % columns];
    return y % rowStep === top && x % columnStep === left ? 1 : 0;
  });
}

/** Visits all points in one random order and keeps those far enough from the kept ones; the distance is found by bisection. */
function poissonDisc({ random, rows, columns, acceleration, center }: Draw): Uint8Array {
  const wanted = Math.round((rows * columns) / acceleration);
  if (count(center) > wanted)
    fail('center', `at most the ${wanted} points that acceleration ${acceleration} leaves`, `${count(center)} points`);
  const order = random.permutation(rows * columns);
  const growth = Float32Array.from(center, (_, i) => {
    const fromCentre = Math.hypot((2 * Math.floor(i / columns)) / rows - 1, (2 * (i % columns)) / columns - 1);
    return 1 + GROWTH * fromCentre;
  });
  let [tooMany, tooFew] = [0, 1 + 1.5 * Math.sqrt(acceleration)];
  let kept: number[] = [];
  for (let i = 0; i < BISECTIONS; i += 1) {
    const distance = (tooMany + tooFew) / 2;
    const found = keepApart(center, columns, order, (at) => distance * growth[at]);
    if (found.length < wanted) tooFew = distance;
    else [tooMany, kept] = [distance, found];
  }
  const data = new Uint8Array(rows * columns);
  // The first are the centre; what is too many goes from the end, which lies anywhere.
  for (const at of kept.slice(0, wanted)) data[at] = 1;
  return data;
}

/** The points of the central block, then others in order, each with none nearer than the `radius` of the one kept before. */
function keepApart(center: Uint8Array, columns: number, order: Uint32Array, radius: (at: number) => number): number[] {
  const blocked = new Uint8Array(center.length);
  const kept = Array.from(center.keys()).filter((i) => center[i] === 1);
  for (const at of kept) block(blocked, columns, at, radius(at));
  for (const at of order) {
    if (blocked[at] === 1) continue;
    block(blocked, columns, at, radius(at));
    kept.push(at);
  }
  return kept;
}

/** Marks the points nearer to `at` than `radius`, and itself. */
function block(blocked: Uint8Array, columns: number, at: number, radius: number): void {
  const [y, x] = [Math.floor(at / columns), at % columns];
  const rows = blocked.length / columns;
  const reach = Math.max(0, Math.ceil(radius) - 1);
  for (let v = Math.max(0, y - reach); v <= Math.min(rows - 1, y + reach); v += 1) {
    const half = Math.max(0, Math.ceil(Math.sqrt(radius ** 2 - (v - y) ** 2)) - 1);
    blocked.fill(1, v * columns + Math.max(0, x - half), v * columns + Math.min(columns, x + half + 1));
  }
}
