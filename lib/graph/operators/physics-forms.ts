// The physics operators in standard ones: for tools that lack larmor's operators.
import {
  abs,
  add,
  concat,
  divide,
  greater,
  multiply,
  negate,
  reduceSum,
  reshape,
  sign,
  split,
  sqrt,
  subtract,
  where,
} from '../operations.js';
import type { Value } from '../types.js';
import { dft2 } from './fourier-forms.js';

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
  const sum = (factors: Value): Value => reshape(reduceSum(multiply(factors, z), { axes: [1, 4] }), [n, 1, y, x]);
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

/** S^H F^H M F S x: a mask of 0 and 1 twice is that mask. */
export function encodeNormalForm(image: Value, maps: Value, mask: Value): Value {
  return encodeAdjointForm(dft2(coilImagesOf(image, maps), false), maps, mask);
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
