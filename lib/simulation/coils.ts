// Receive coils: small current loops around the object, their sensitivities by the law of Biot and Savart.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import type { MT19937 } from '../arrays/mt19937.js';
import type { RunOptions } from '../jobs.js';

const SEGMENTS = 20;
/** Thickness of the wire, squared, in units of half the field of view: keeps the field finite everywhere. */
const WIRE_SQUARED = 0.15 ** 2;
/** Up to this many loops fit on one ring; more take two rings. */
const LOOPS_PER_RING = 12;

/** Loops as straight segments. */
export class CoilArray {
  /** Per loop and segment: midpoint and direction, x, y, z each. */
  readonly #segments: Float64Array;
  /** Complex gain of each coil. */
  readonly #gain: Float64Array;

  /** Draws `count` loops on one or two rings around the z axis, each with its own place, size, gain and phase. */
  constructor(
    random: MT19937,
    readonly count: number,
  ) {
    this.#segments = new Float64Array(count * SEGMENTS * 6);
    this.#gain = new Float64Array(2 * count);
    const rings = count > LOOPS_PER_RING ? 2 : 1;
    const perRing = Math.ceil(count / rings);
    const start = random.uniform(0, 2 * Math.PI);
    const [width, height] = [random.uniform(1.15, 1.35), random.uniform(1.1, 1.35)];
    for (let coil = 0; coil < count; ++coil) {
      const ring = coil % rings;
      const jitter = random.uniform(-0.15, 0.15);
      const angle = start + (2 * Math.PI * (Math.floor(coil / rings) + ring / 2 + jitter)) / perRing;
      const centre = [
        width * Math.cos(angle),
        height * Math.sin(angle),
        rings === 1 ? random.uniform(-0.15, 0.15) : (ring - 0.5) * 0.9,
      ] as const;
      // Neighbours overlap a little, as they do on a real array.
      const radius = Math.min(0.6, ((Math.PI * 1.2) / perRing) * random.uniform(0.95, 1.2));
      this.#addLoop(coil, centre, angle + random.uniform(-0.2, 0.2), radius);
      const gain = random.uniform(0.85, 1.15);
      const phase = random.uniform(0, 2 * Math.PI);
      this.#gain.set([gain * Math.cos(phase), gain * Math.sin(phase)], 2 * coil);
    }
  }

  /** A loop whose axis lies in the slice plane at `angle` from x. */
  #addLoop(coil: number, centre: readonly [number, number, number], angle: number, radius: number): void {
    const step = (2 * Math.PI) / SEGMENTS;
    for (let i = 0; i < SEGMENTS; ++i) {
      const t = (i + 0.5) * step;
      const around = radius * Math.cos(t);
      const x = centre[0] - around * Math.sin(angle);
      const y = centre[1] + around * Math.cos(angle);
      const z = centre[2] + radius * Math.sin(t);
      const turn = -radius * step * Math.sin(t);
      const direction = [-turn * Math.sin(angle), turn * Math.cos(angle), radius * step * Math.cos(t)];
      this.#segments.set([x, y, z, ...direction], 6 * (coil * SEGMENTS + i));
    }
  }

  /**
   * Sensitivities B_x - i B_y of one slice, normalised so that the sum over coils of |S|^2 is 1 at every pixel.
   *
   * @param size Side of the square slice, 2 units wide; its centre is pixel floor(size / 2). @param z Height of the slice.
   * @returns [coil, y, x].
   * @throws signal.reason when aborted.
   * @see Roemer et al., Magn Reson Med 1990;16:192-225.
   */
  async maps(size: number, z: number, { signal }: Pick<RunOptions, 'signal'> = {}): Promise<ComplexArray> {
    const { count } = this;
    const maps = complexZeros([count, size, size]);
    const plane = 2 * size * size;
    const values = new Float64Array(2 * count);
    for (let row = 0, pixel = 0; row < size; ++row) {
      if (row % 16 === 0) {
        await nextTurn();
        signal?.throwIfAborted();
      }
      const y = (2 * (row - (size >> 1))) / size;
      for (let column = 0; column < size; ++column, pixel += 2) {
        const x = (2 * (column - (size >> 1))) / size;
        const scale = 1 / this.#fields(x, y, z, values);
        for (let coil = 0; coil < count; ++coil) {
          maps.data[coil * plane + pixel] = scale * values[2 * coil];
          maps.data[coil * plane + pixel + 1] = scale * values[2 * coil + 1];
        }
      }
    }
    return maps;
  }

  /** Writes every coil's field at a point into `values`; returns their root sum of squares. */
  #fields(x: number, y: number, z: number, values: Float64Array): number {
    const segments = this.#segments;
    let energy = 0;
    for (let coil = 0, s = 0; coil < this.count; ++coil) {
      let bx = 0;
      let by = 0;
      for (const end = s + 6 * SEGMENTS; s < end; s += 6) {
        const dx = x - segments[s];
        const dy = y - segments[s + 1];
        const dz = z - segments[s + 2];
        const squared = dx * dx + dy * dy + dz * dz + WIRE_SQUARED;
        const weight = 1 / (squared * Math.sqrt(squared));
        bx += weight * (segments[s + 4] * dz - segments[s + 5] * dy);
        by += weight * (segments[s + 5] * dx - segments[s + 3] * dz);
      }
      const [re, im] = [this.#gain[2 * coil], this.#gain[2 * coil + 1]];
      values[2 * coil] = re * bx + im * by;
      values[2 * coil + 1] = im * bx - re * by;
      energy += (re * re + im * im) * (bx * bx + by * by);
    }
    return Math.sqrt(energy);
  }
}
