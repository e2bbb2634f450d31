// What the procedural anatomies share: the way they are sampled and the shapes they are built from.
import type { MT19937 } from '../arrays/mt19937.js';
import type { NoiseField } from './noise-field.js';
import { TISSUE } from './tissues.js';

/**
 * The number (`TISSUE`) of the tissue at a point. Units: half the field of view, so x (to the right) and y (down) of a
 * slice lie in -1..1; z runs through the slices and stays within about -0.5..0.5.
 */
export type Anatomy = (x: number, y: number, z: number) => number;

/** An ellipse that may be turned: `distance` is negative inside, exact on the border and near it to first order. */
export class Ellipse {
  readonly #cos: number;
  readonly #sin: number;

  constructor(
    readonly x: number,
    readonly y: number,
    readonly a: number,
    readonly b: number,
    angle = 0,
  ) {
    this.#cos = Math.cos(angle);
    this.#sin = Math.sin(angle);
  }

  /** Signed distance; `scale` shrinks or grows both axes. */
  distance(x: number, y: number, scale = 1): number {
    const u = ((x - this.x) * this.#cos + (y - this.y) * this.#sin) / this.a;
    const v = ((y - this.y) * this.#cos - (x - this.x) * this.#sin) / this.b;
    const r = Math.hypot(u, v);
    // The gradient's length turns the level into a distance.
    const slope = Math.hypot(u / this.a, v / this.b) / Math.max(r, 1e-9);
    return (r - scale) / Math.max(slope, 1e-9);
  }

  /** Angle of the point as seen from the centre, in the ellipse's own frame. */
  angle(x: number, y: number): number {
    const u = (x - this.x) * this.#cos + (y - this.y) * this.#sin;
    const v = (y - this.y) * this.#cos - (x - this.x) * this.#sin;
    return Math.atan2(v / this.b, u / this.a);
  }
}

/** Distance from a segment of thickness 0: a stroke when compared with half its width. */
export function segmentDistance(
  x: number,
  y: number,
  from: readonly [number, number],
  to: readonly [number, number],
): number {
  const dx = to[0] - from[0];
  const dy = to[1] - from[1];
  const t = Math.max(0, Math.min(1, ((x - from[0]) * dx + (y - from[1]) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - from[0] - t * dx, y - from[1] - t * dy);
}

/** Minimum with a rounded seam of width `k`: joins two shapes smoothly. */
export function smoothMinimum(a: number, b: number, k: number): number {
  const h = Math.max(0, k - Math.abs(a - b)) / k;
  return Math.min(a, b) - (h * h * k) / 4;
}

/** Cells around scattered seeds, as muscle bellies fill a limb. */
export class Cells {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  /** Number of the nearest seed after `distance`. */
  nearest = 0;

  /** @param inside Whether a seed may lie at a point; seeds keep at least `spacing` from each other. */
  constructor(random: MT19937, count: number, spacing: number, inside: (x: number, y: number) => boolean) {
    const xs: number[] = [];
    const ys: number[] = [];
    for (let attempt = 0; attempt < 60 * count && xs.length < count; ++attempt) {
      const x = random.uniform(-1, 1);
      const y = random.uniform(-1, 1);
      if (inside(x, y) && xs.every((other, i) => Math.hypot(other - x, ys[i] - y) > spacing)) {
        xs.push(x);
        ys.push(y);
      }
    }
    this.#x = Float64Array.from(xs);
    this.#y = Float64Array.from(ys);
  }

  get count(): number {
    return this.#x.length;
  }

  /** Distance from the border between the two nearest seeds; infinite with fewer than two. */
  distance(x: number, y: number): number {
    let first = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    let other = 0;
    for (let i = 0; i < this.#x.length; ++i) {
      const squared = (x - this.#x[i]) ** 2 + (y - this.#y[i]) ** 2;
      if (squared < first) {
        second = first;
        other = this.nearest;
        first = squared;
        this.nearest = i;
      } else if (squared < second) {
        second = squared;
        other = i;
      }
    }
    if (second === Number.POSITIVE_INFINITY) return second;
    const apart = Math.hypot(this.#x[this.nearest] - this.#x[other], this.#y[this.nearest] - this.#y[other]);
    return (second - first) / (2 * apart);
  }
}

/** Fat crossed by thin, winding sheets of connective tissue. */
export function fatTissue(noise: NoiseField, x: number, y: number, z: number): number {
  const sheet = Math.abs(noise.at(6 * x + 13, 6 * y, 4 * z));
  return sheet < 0.016 && noise.at(4 * x, 4 * y + 71, 4 * z) > 0.05 ? TISSUE.tendon : TISSUE.fat;
}
