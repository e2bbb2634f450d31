// The encoding operator A = M F S and the k-space losses as graph operators. Images are planar [n,2,y,x], k-space and maps
// interleaved [n,coil,y,x,2]; a mask is [n,1,x] (the same for every y) or [n,y,x]. Gradients are with respect to the image.
import { sameShape } from '../../arrays/complex-array.js';
import { encode, encodeAdjoint, encodeNormal, multiply } from '../operations.js';
import type { Operator, Value } from '../types.js';
import { attributeError, defineOperator, expectShape, float32, shapeError } from './define.js';

/** Checks maps and masks against each other; returns [n, coils, y, x]. */
function sizes(operator: string, maps: Value, masks: Readonly<Record<string, Value>>): readonly number[] {
  if (maps.shape.length !== 5 || maps.shape[4] !== 2) shapeError(operator, 'maps', 'shape [n,coil,y,x,2]', maps.shape);
  const [n, coils, y, x] = maps.shape;
  for (const [argument, mask] of Object.entries(masks))
    if (!sameShape(mask.shape, [n, 1, x]) && !sameShape(mask.shape, [n, y, x]))
      shapeError(operator, argument, `shape [${n},1,${x}] or [${n},${y},${x}]`, mask.shape);
  return [n, coils, y, x];
}

function expectImage(operator: string, image: Value, [n, , y, x]: readonly number[]): void {
  expectShape(operator, 'image', [n, 2, y, x], image);
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
    // dL/dx = A^H dL/dy
    gradient: ({ inputs: [, maps, mask], dy }) => [encodeAdjoint(dy, maps, mask)],
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
    // dL/dy = A dL/dx
    gradient: ({ inputs: [, maps, mask], dy }) => [encode(dy, maps, mask)],
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
    // Its own adjoint.
    gradient: ({ inputs: [, maps, mask], dy }) => [encodeNormal(dy, maps, mask)],
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
  }),
];
