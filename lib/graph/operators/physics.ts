// The encoding operator A = M F S and the k-space losses as graph operators. Images are planar [n,2,y,x], k-space and maps
// interleaved [n,coil,y,x,2]; a mask is [n,1,x] (the same for every y) or [n,y,x].
//
// With z = F^H M y, the number T(x, S, y) = Re <y, M F S x> is linear in image, maps and k-space. Its partial derivatives are
// EncodeAdjoint (x: S^H z), EncodeMapsGradient (S: conj(x) z) and Encode (y: M F S x), so each one's gradients are the other two.
import { sameShape } from '../../arrays/complex-array.js';
import { conjugateGradients } from '../conjugate-gradients.js';
import { add, multiply, negate, reduceSum, reshape } from '../operations.js';
import { encode, encodeAdjoint, encodeMapsGradient, encodeNormal, fft2, solveNormal } from '../physics-operations.js';
import type { Operator, Value } from '../types.js';
import { attributeError, defineOperator, expectShape, float32, shapeError } from './define.js';
import { dft2 } from './fourier-forms.js';
import {
  dataLossForm,
  encodeAdjointForm,
  encodeForm,
  encodeMapsGradientForm,
  encodeNormalForm,
} from './physics-forms.js';

function expectCoils(operator: string, argument: string, { shape }: Value): void {
  if (shape.length !== 5 || shape[4] !== 2) shapeError(operator, argument, 'shape [n,coil,y,x,2]', shape);
}

/** Checks maps, or k-space, and masks against each other; returns [n, coils, y, x]. */
export function sizes(
  operator: string,
  coils: Value,
  masks: Readonly<Record<string, Value>>,
  argument = 'maps',
): readonly number[] {
  expectCoils(operator, argument, coils);
  const [n, count, y, x] = coils.shape;
  for (const [argument, mask] of Object.entries(masks))
    if (!sameShape(mask.shape, [n, 1, x]) && !sameShape(mask.shape, [n, y, x]))
      shapeError(operator, argument, `shape [${n},1,${x}] or [${n},${y},${x}]`, mask.shape);
  return [n, count, y, x];
}

function expectImage(operator: string, image: Value, [n, , y, x]: readonly number[]): void {
  expectShape(operator, 'image', [n, 2, y, x], image);
}

/** d Re <dy, A^H A x> / dmaps. */
function mapsGradientOfNormal(image: Value, dy: Value, maps: Value, mask: Value): Value {
  return add(
    encodeMapsGradient(dy, encode(image, maps, mask), mask),
    encodeMapsGradient(image, encode(dy, maps, mask), mask),
  );
}

export const physics: readonly Operator[] = [
  // y = A x
  defineOperator({
    name: 'Encode',
    domain: 'larmor',
    inputs: ['image', 'maps', 'mask'],
    infer([image, maps, mask]) {
      expectImage('Encode', image, sizes('Encode', maps, { mask }));
      return [float32(maps.shape)];
    },
    gradient: ({ inputs: [image, maps, mask], dy }) => [
      encodeAdjoint(dy, maps, mask),
      encodeMapsGradient(image, dy, mask),
    ],
    portable: ([image, maps, mask]) => [encodeForm(image, maps, mask)],
  }),

  // x = A^H y
  defineOperator({
    name: 'EncodeAdjoint',
    domain: 'larmor',
    inputs: ['kspace', 'maps', 'mask'],
    infer([kspace, maps, mask]) {
      const [n, , y, x] = sizes('EncodeAdjoint', maps, { mask });
      expectShape('EncodeAdjoint', 'kspace', maps.shape, kspace);
      return [float32([n, 2, y, x])];
    },
    gradient: ({ inputs: [kspace, maps, mask], dy }) => [encode(dy, maps, mask), encodeMapsGradient(dy, kspace, mask)],
    portable: ([kspace, maps, mask]) => [encodeAdjointForm(kspace, maps, mask)],
  }),

  // conj(x) F^H M y of every coil
  defineOperator({
    name: 'EncodeMapsGradient',
    domain: 'larmor',
    inputs: ['image', 'kspace', 'mask'],
    infer([image, kspace, mask]) {
      expectImage('EncodeMapsGradient', image, sizes('EncodeMapsGradient', kspace, { mask }, 'kspace'));
      return [float32(kspace.shape)];
    },
    gradient: ({ inputs: [image, kspace, mask], dy }) => [encodeAdjoint(kspace, dy, mask), encode(image, dy, mask)],
    portable: ([image, kspace, mask]) => [encodeMapsGradientForm(image, kspace, mask)],
  }),

  // x -> A^H A x
  defineOperator({
    name: 'EncodeNormal',
    domain: 'larmor',
    inputs: ['image', 'maps', 'mask'],
    infer([image, maps, mask]) {
      expectImage('EncodeNormal', image, sizes('EncodeNormal', maps, { mask }));
      return [float32(image.shape)];
    },
    // Its own adjoint; the maps enter twice.
    gradient: ({ inputs: [image, maps, mask], dy }) => [
      encodeNormal(dy, maps, mask),
      mapsGradientOfNormal(image, dy, maps, mask),
    ],
    portable: ([image, maps, mask]) => [encodeNormalForm(image, maps, mask)],
  }),

  // x = (A^H A + weight)^-1 b by conjugate gradients. The gradient is that of the exact solution: with g = (A^H A + weight)^-1 dy,
  // dL = Re <g, db - d(A^H A) x - dweight x>, where A^H A changes as in EncodeNormal.
  defineOperator({
    name: 'SolveNormal',
    domain: 'larmor',
    inputs: ['b', 'maps', 'mask', 'weight'],
    attributes: { iterations: 'int' },
    infer([b, maps, mask, weight], { iterations }) {
      if (iterations < 1) attributeError('SolveNormal', 'iterations', '1 or more', iterations);
      const [n, , y, x] = sizes('SolveNormal', maps, { mask });
      expectShape('SolveNormal', 'b', [n, 2, y, x], b);
      expectShape('SolveNormal', 'weight', [1], weight);
      return [float32(b.shape)];
    },
    gradient({ inputs: [, maps, mask, weight], outputs: [x], attributes, dy }) {
      const g = solveNormal(dy, { maps, mask, weight }, attributes);
      return [
        g,
        negate(mapsGradientOfNormal(x, g, maps, mask)),
        undefined,
        negate(reshape(reduceSum(multiply(g, x)), [1])),
      ];
    },
    portable: ([b, maps, mask, weight], { iterations }) => [
      conjugateGradients(b, weight, iterations, (p) => encodeNormalForm(p, maps, mask)),
    ],
  }),

  // F x of every coil, or F^H x
  defineOperator({
    name: 'Fft2',
    domain: 'larmor',
    inputs: ['x'],
    attributes: { inverse: 'int' },
    infer([x]) {
      expectCoils('Fft2', 'x', x);
      return [float32(x.shape)];
    },
    gradient: ({ attributes: { inverse }, dy }) => [fft2(dy, { inverse: !inverse })],
    portable: ([x], { inverse }) => [dft2(x, inverse !== 0)],
  }),

  // r = A x - y on the samples of each mask.  l1: sum(|Re r| + |Im r|) / sum(|Re y| + |Im y|).  l2: ||r|| / ||y||.
  // Denominators run over the same samples and the whole batch, and are constants. Third output: dloss/dimage.
  defineOperator({
    name: 'DataLoss',
    domain: 'larmor',
    inputs: ['image', 'maps', 'mask', 'heldOutMask', 'kspace'],
    attributes: { norm: 'string' },
    infer([image, maps, mask, heldOutMask, kspace], { norm }) {
      if (norm !== 'l1' && norm !== 'l2') attributeError('DataLoss', 'norm', '"l1" or "l2"', norm);
      expectImage('DataLoss', image, sizes('DataLoss', maps, { mask, heldOutMask }));
      expectShape('DataLoss', 'heldOutMask', mask.shape, heldOutMask);
      expectShape('DataLoss', 'kspace', maps.shape, kspace);
      return [float32([1]), float32([1]), float32(image.shape)];
    },
    // The held-out loss and the gradient itself have no rule: nothing may be trained on them.
    gradient: ({ outputs: [, , gradient], upstream: [dy, heldOut, second] }) =>
      heldOut || second || !dy ? [] : [multiply(gradient, dy)],
    portable: ([image, maps, mask, heldOutMask, kspace], { norm }) =>
      dataLossForm(image, { maps, mask, heldOutMask, kspace }, norm === 'l2' ? 'l2' : 'l1'),
  }),
];
