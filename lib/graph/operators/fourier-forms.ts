// The centred unitary Fourier transform of interleaved samples as matrix products.
import { matmul, reshape, transpose } from '../operations.js';
import type { Graph, Value } from '../types.js';

/** Up to this length one product takes no longer than the two of a factored transform with what they move. */
const DIRECT = 128;
/** Factors below this save too little. */
const LEAST_FACTOR = 4;

/** Matrices that a graph holds already, by length, direction and part. */
const matrices = new WeakMap<Graph, Map<string, Value>>();

function matrix(graph: Graph, key: string, shape: readonly number[], weights: () => Float32Array): Value {
  const known = matrices.get(graph) ?? new Map<string, Value>();
  matrices.set(graph, known);
  const value = known.get(key) ?? graph.constant(weights(), shape);
  known.set(key, value);
  return value;
}

/** exp(2 pi i turns(j, k) / n) / sqrt(m) for j, k < m, as a real matrix [2m,2m] to multiply rows of interleaved numbers by. */
function phases(m: number, n: number, turns: (j: number, k: number) => number): Float32Array {
  const weights = new Float32Array(4 * m * m);
  for (let j = 0; j < m; j++)
    for (let k = 0; k < m; k++) {
      const angle = (2 * Math.PI * (turns(j, k) % n)) / n;
      const [re, im] = [Math.cos(angle) / Math.sqrt(m), Math.sin(angle) / Math.sqrt(m)];
      weights.set([re, im], 4 * m * j + 2 * k);
      weights.set([-im, re], 4 * m * j + 2 * m + 2 * k);
    }
  return weights;
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.length * parts[0].length);
  parts.forEach((part, i) => {
    whole.set(part, i * part.length);
  });
  return whole;
}

/** The largest divisor of n up to its root. */
function factor(n: number): number {
  let divisor = Math.floor(Math.sqrt(n));
  while (n % divisor !== 0) divisor--;
  return divisor;
}

/** The transform along the axis of length n of [before,n,after,2]; the exponents count (j - n/2) (k - n/2), halves rounded down. */
function transform(x: Value, inverse: boolean): Value {
  const [before, n, after] = x.shape;
  const sign = inverse ? 1 : -1;
  const centre = Math.floor(n / 2);
  const p = factor(n);
  const q = n / p;
  if (n > DIRECT && p >= LEAST_FACTOR) return factored(x, p, q, sign, centre);
  const weights = matrix(x.graph, `${n} ${sign}`, [2 * n, 2 * n], () =>
    phases(n, n, (j, k) => sign * (j - centre) * (k - centre)),
  );
  const swap = (value: Value): Value => (after === 1 ? value : transpose(value, [0, 2, 1, 3]));
  const product = matmul(reshape(swap(x), [before * after, 2 * n]), weights);
  return reshape(swap(reshape(product, [before, after, n, 2])), x.shape);
}

/**
 * By the step of Cooley and Tukey: with j = q a + b and k = c + p d the exponent is q a c + b c + p b d, a sum over a < p for every b, then one
 * over b < q for every c. Centring and the factors between both stand in the matrices.
 */
function factored(x: Value, p: number, q: number, sign: number, centre: number): Value {
  const [before, n, after] = x.shape;
  const first = matrix(x.graph, `${n} ${sign} first`, [2 * p, 2 * p], () =>
    phases(p, n, (a, c) => sign * q * a * (c - centre)),
  );
  const second = matrix(x.graph, `${n} ${sign} second`, [p, 2 * q, 2 * q], () =>
    concatenated(
      Array.from({ length: p }, (_, c) => phases(q, n, (b, d) => sign * (b - centre) * (c + p * d - centre))),
    ),
  );
  const byA = transpose(reshape(x, [before, p, q, after, 2]), [0, 3, 2, 1, 4]);
  const sums = reshape(matmul(reshape(byA, [before * after * q, 2 * p]), first), [before, after, q, p, 2]);
  const byB = transpose(sums, [3, 0, 1, 2, 4]);
  const results = matmul(reshape(byB, [p, before * after, 2 * q]), second);
  return reshape(transpose(reshape(results, [p, before, after, q, 2]), [1, 3, 0, 2, 4]), x.shape);
}

/** F x or F^H x of every coil [n,coil,y,x,2]. */
export function dft2(x: Value, inverse: boolean): Value {
  const [n, coils, height, width] = x.shape;
  const alongX = transform(reshape(x, [n * coils * height, width, 1, 2]), inverse);
  const alongY = transform(reshape(alongX, [n * coils, height, width, 2]), inverse);
  return reshape(alongY, x.shape);
}
