// Terms of a loss that look at the network's image alone, without data: what is wanted of any image.
import { points } from '../../arrays/complex-array.js';
import { LarmorError } from '../../errors.js';
import {
  abs,
  add,
  expand,
  matmul,
  multiply,
  reduceSum,
  reshape,
  slice,
  subtract,
  transpose,
} from '../../graph/operations.js';
import { encode, encodeNormal } from '../../graph/physics-operations.js';
import type { Value } from '../../graph/types.js';
import type { GraphInputs } from '../../networks/graph-inputs.js';
import type { Prediction, Reconstruct } from '../../networks/network.js';
import { relativeMisfit } from './misfit.js';

/**
 * sum|f(A T x) - T x| / sum|x0|, [1]: an image x of the network, moved by T and measured again without noise, should come back as it was
 * moved. x0 is the input image, a constant. Only pixels that some coil sees count, before and after the move. The gradient runs through
 * both uses of the network, as in equivariant imaging.
 *
 * T moves rows by `moveY` and columns by `moveX`, permutation matrices [n,y,y] and [n,x,x].
 *
 * @throws LarmorError `ERR_ARGUMENT` for a network that makes coil images, or whose output does not fit its input.
 * @see Chen, Tachella, Davies, Equivariant Imaging: Learning Beyond the Range Space, ICCV 2021.
 */
export function equivariancePenalty(
  { image, coils }: Prediction,
  inputs: GraphInputs,
  reconstruct: Reconstruct,
): Value {
  const [maps, mask, combined] = [inputs.maps(), inputs.mask(), inputs.image()];
  if (coils || combined.shape[1] !== 2 || image.shape[1] !== 2)
    throw new LarmorError('ERR_ARGUMENT', 'loss: equivariance needs a network that gives one complex image of one');
  const seen = support(maps);
  const moved = multiply(moveImage(multiply(image, seen), inputs), seen);
  const again = reconstruct({
    image: () => encodeNormal(moved, maps, mask),
    maps: () => maps,
    mask: () => mask,
    kspace: () => encode(moved, maps, mask),
    calibrationMask: () => inputs.calibrationMask(),
  });
  return relativeMisfit(multiply(subtract(again.image, moved), seen), combined, 'l1');
}

/** Sum of |S|^2 over the coils, [n,1,y,x]: 1 where the object is seen, 0 elsewhere. */
function support(maps: Value): Value {
  const [n, , y, x] = maps.shape;
  return reshape(reduceSum(multiply(maps, maps), { axes: [1, 4] }), [n, 1, y, x]);
}

function moveImage(image: Value, inputs: GraphInputs): Value {
  const [n, channels, y, x] = image.shape;
  const ofChannels = (move: Value, side: number): Value =>
    expand(reshape(move, [n, 1, side, side]), [n, channels, side, side]);
  const rows = matmul(ofChannels(inputs.move('moveY', y), y), image);
  return matmul(rows, transpose(ofChannels(inputs.move('moveX', x), x), [0, 1, 3, 2]));
}

/** Anisotropic total variation of real and imaginary part, per pixel, [1]. */
export function totalVariation({ image }: Prediction): Value {
  const [n, , y, x] = image.shape;
  const along = (axis: number): Value => {
    const side = image.shape[axis];
    const part = (starts: number, ends: number): Value =>
      slice(image, { axes: [axis], starts: [starts], ends: [ends] });
    return reduceSum(abs(subtract(part(1, side), part(0, side - 1))));
  };
  return reshape(multiply(add(along(2), along(3)), 1 / points([n, y, x])), [1]);
}
