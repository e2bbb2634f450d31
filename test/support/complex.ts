// Complex arrays for the operator tests: seeded noise, inner products, and the DFT straight from its definition in double precision.
import { type ComplexArray, complexZeros, points, type Shape } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';

/** Standard normal real and imaginary parts. */
export function noise(shape: Shape, seed: number): ComplexArray {
  const random = new MT19937(seed);
  const x = complexZeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = random.normal();
  return x;
}

/** <a, b> = sum of conj(a) b, accumulated in double. */
export function inner(a: ComplexArray, b: ComplexArray): { re: number; im: number } {
  let [re, im] = [0, 0];
  for (let i = 0; i < a.data.length; i += 2) {
    re += a.data[i] * b.data[i] + a.data[i + 1] * b.data[i + 1];
    im += a.data[i] * b.data[i + 1] - a.data[i + 1] * b.data[i];
  }
  return { re, im };
}

export function norm(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  return Math.sqrt(sum);
}

/** ||got - want|| / ||want||. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  return norm(Float64Array.from({ length: want.length }, (_, i) => got[i] - want[i])) / norm(want);
}

/** The centred unitary DFT along an axis of n samples `stride` apart, at every position of `starts`. */
export function directDft(
  x: Float64Array,
  n: number,
  stride: number,
  starts: readonly number[],
  inverse: boolean,
): void {
  const c = Math.floor(n / 2);
  const sign = inverse ? 1 : -1;
  const turns = Array.from({ length: n }, (_, i) => (2 * Math.PI * i) / n);
  const [cos, sin] = [turns.map(Math.cos), turns.map(Math.sin)];
  const result = new Float64Array(2 * n);
  for (const start of starts) {
    result.fill(0);
    for (let k = 0; k < n; k++)
      for (let j = 0; j < n; j++) {
        const turn = ((((j - c) * (k - c)) % n) + n) % n;
        const [wre, wim] = [cos[turn], sign * sin[turn]];
        const at = 2 * (start + j * stride);
        result[2 * k] += x[at] * wre - x[at + 1] * wim;
        result[2 * k + 1] += x[at] * wim + x[at + 1] * wre;
      }
    for (let k = 0; k < n; k++) {
      x[2 * (start + k * stride)] = result[2 * k] / Math.sqrt(n);
      x[2 * (start + k * stride) + 1] = result[2 * k + 1] / Math.sqrt(n);
    }
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The centred unitary 2-D DFT of a stack [..., y, x] in double precision. */
export function directDft2(stack: ComplexArray, inverse = false): Float64Array {
  const [ny, nx] = stack.shape.slice(-2);
  const batch = points(stack.shape) / (ny * nx);
  const x = Float64Array.from(stack.data);
  directDft(
    x,
    nx,
    1,
    range(batch * ny).map((row) => row * nx),
    inverse,
  );
  for (const image of range(batch))
    directDft(
      x,
      ny,
      nx,
      range(nx).map((column) => image * ny * nx + column),
      inverse,
    );
  return x;
}
