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

/** Real and imaginary part of planar [n,2,y,x], each as a factor of interleaved samples [n,coil,y,x,2]. */
function partsOf(image: Value): readonly Value[] {
  const [n, , y, x] = image.shape;
  return split(image, 1, [1, 1]).map((part) => reshape(part, [n, 1, y, x, 1]));
}

/** i times interleaved samples, by these: coil maps are turned once for all their products. */
const turned = new WeakMap<Value, Value>();
function timesI(samples: Value): Value {
  const known = turned.get(samples);
  if (known) return known;
  const [re, im] = split(samples, 4, [1, 1]);
  const made = concat([negate(im), re], 4);
  turned.set(samples, made);
  return made;
}

/** S x, of every coil. */
function coilImagesOf(image: Value, maps: Value): Value {
  const [re, im] = partsOf(image);
  return add(multiply(maps, re), multiply(timesI(maps), im));
}

/** S^H z: the real part of conj(s) z is the sum of its two numbers times those of s, the imaginary part that times those of i s. */
function combined(z: Value, maps: Value): Value {
  const [n, , y, x] = z.shape;
  const sum = (factors: Value): Value =>
    reshape(reduceSum(reduceSum(multiply(factors, z), { axes: [1] }), { axes: [3] }), [n, 1, y, x]);
  return concat([sum(maps), sum(timesI(maps))], 1);
}

/** A mask [n,1,x] or [n,y,x] as the weights of k-space [n,coil,y,x,2]. */
export function sampleWeights(mask: Value): Value {
  const [n, y, x] = mask.shape;
  return reshape(mask, [n, 1, y, x, 1]);
}

/** M F S x. */
export function encodeForm(image: Value, maps: Value, mask: Value): Value {
  return multiply(dft2(coilImagesOf(image, maps), false), sampleWeights(mask));
}

/** F^H M y. */
function coilImages(kspace: Value, mask: Value): Value {
  return dft2(multiply(kspace, sampleWeights(mask)), true);
}

/** S^H F^H M y. */
export function encodeAdjointForm(kspace: Value, maps: Value, mask: Value): Value {
  return combined(coilImages(kspace, mask), maps);
}

/** conj(x) F^H M y. */
export function encodeMapsGradientForm(image: Value, kspace: Value, mask: Value): Value {
  const [re, im] = partsOf(image);
  const z = coilImages(kspace, mask);
  return subtract(multiply(z, re), multiply(timesI(z), im));
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
  const residual = subtract(dft2(coilImagesOf(image, maps), false), kspace);
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
