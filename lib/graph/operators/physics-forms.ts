// The physics operators in standard ones, with the Fourier transform as matrix products: for tools that lack larmor's operators.
import {
  abs,
  add,
  concat,
  divide,
  greater,
  matmul,
  multiply,
  negate,
  reduceSum,
  reshape,
  sign,
  split,
  sqrt,
  subtract,
  transpose,
  where,
} from '../operations.js';
import type { Graph, Value } from '../types.js';

/** Transform matrices that a graph holds already, by length and direction. */
const matrices = new WeakMap<Graph, Map<string, Value>>();

/** The centred unitary DFT of n interleaved samples as a real matrix [2n,2n] to multiply rows by. */
function dftMatrix(graph: Graph, n: number, inverse: boolean): Value {
  const known = matrices.get(graph) ?? new Map<string, Value>();
  matrices.set(graph, known);
  const key = `${n} ${inverse}`;
  const matrix = known.get(key) ?? graph.constant(dftWeights(n, inverse ? 1 : -1), [2 * n, 2 * n]);
  known.set(key, matrix);
  return matrix;
}

function dftWeights(n: number, sign: number): Float32Array {
  const weights = new Float32Array(4 * n * n);
  const centre = Math.floor(n / 2);
  for (let j = 0; j < n; j++)
    for (let k = 0; k < n; k++) {
      const turns = (((j - centre) * (k - centre)) % n) / n;
      const re = Math.cos(2 * Math.PI * turns) / Math.sqrt(n);
      const im = (sign * Math.sin(2 * Math.PI * turns)) / Math.sqrt(n);
      weights.set([re, im], 4 * n * j + 2 * k);
      weights.set([-im, re], 4 * n * j + 2 * n + 2 * k);
    }
  return weights;
}

/** The transform along the last complex axis of [...,n,2]. */
function dftRows(x: Value, inverse: boolean): Value {
  const n = x.shape[x.shape.length - 2];
  const rows = x.shape.slice(0, -2).reduce((product, length) => product * length, 1);
  return reshape(matmul(reshape(x, [rows, 2 * n]), dftMatrix(x.graph, n, inverse)), x.shape);
}

const swapAxes = (x: Value): Value => transpose(x, [0, 1, 3, 2, 4]);

/** F x or F^H x of every coil [n,coil,y,x,2]. */
export function dft2(x: Value, inverse: boolean): Value {
  return swapAxes(dftRows(swapAxes(dftRows(x, inverse)), inverse));
}

/** Planar [n,2,y,x] -> interleaved, one coil: [n,1,y,x,2]. */
function interleaved(image: Value): Value {
  const [n, , y, x] = image.shape;
  return reshape(transpose(image, [0, 2, 3, 1]), [n, 1, y, x, 2]);
}

/** a b, or conj(a) b, of interleaved samples with broadcasting over coils. */
function product(a: Value, b: Value, conjugate: boolean): Value {
  const [ar, imaginary] = split(a, 4, [1, 1]);
  const [br, bi] = split(b, 4, [1, 1]);
  const ai = conjugate ? negate(imaginary) : imaginary;
  const re = subtract(multiply(ar, br), multiply(ai, bi));
  const im = add(multiply(ar, bi), multiply(ai, br));
  return concat([re, im], 4);
}

/** A mask [n,1,x] or [n,y,x] as the weights of k-space [n,coil,y,x,2]. */
export function sampleWeights(mask: Value): Value {
  const [n, y, x] = mask.shape;
  return reshape(mask, [n, 1, y, x, 1]);
}

/** M F S x. */
export function encodeForm(image: Value, maps: Value, mask: Value): Value {
  return multiply(dft2(product(maps, interleaved(image), false), false), sampleWeights(mask));
}

/** F^H M y. */
function coilImages(kspace: Value, mask: Value): Value {
  return dft2(multiply(kspace, sampleWeights(mask)), true);
}

/** S^H F^H M y. */
export function encodeAdjointForm(kspace: Value, maps: Value, mask: Value): Value {
  const image = reduceSum(product(maps, coilImages(kspace, mask), true), { axes: [1] });
  return transpose(image, [0, 3, 1, 2]);
}

/** conj(x) F^H M y. */
export function encodeMapsGradientForm(image: Value, kspace: Value, mask: Value): Value {
  return product(interleaved(image), coilImages(kspace, mask), true);
}

/** Keeps a ratio of no samples at zero; sums are of the order of their number of terms. */
const positiveOr1 = (x: Value): Value => where(greater(x, 0), x, 1);

/** What `dataLossForm` compares with. */
interface Samples {
  readonly maps: Value;
  readonly mask: Value;
  readonly heldOutMask: Value;
  readonly kspace: Value;
}

/** `DataLoss`: loss, loss of the held-out samples, gradient. */
export function dataLossForm(image: Value, { maps, mask, heldOutMask, kspace }: Samples, norm: 'l1' | 'l2'): Value[] {
  const residual = subtract(dft2(product(maps, interleaved(image), false), false), kspace);
  const size = norm === 'l1' ? abs : (x: Value): Value => multiply(x, x);
  const total = (x: Value, weights: Value): Value => reshape(reduceSum(multiply(size(x), sampleWeights(weights))), [1]);
  const [misfit, reference] = [total(residual, mask), total(kspace, mask)];
  const [heldOut, heldOutReference] = [total(residual, heldOutMask), total(kspace, heldOutMask)];
  // Samples that are all zero leave the loss undefined, held-out samples that are none leave it zero.
  const ratios = [divide(misfit, reference), divide(heldOut, positiveOr1(heldOutReference))];
  const back = (y: Value, divisor: Value): Value =>
    divide(encodeAdjointForm(y, maps, mask), reshape(divisor, [1, 1, 1, 1]));
  if (norm === 'l1') return [...ratios, back(sign(residual), reference)];
  return [...ratios.map(sqrt), back(residual, positiveOr1(sqrt(multiply(misfit, reference))))];
}
