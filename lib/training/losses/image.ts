// Losses that compare the image of a prediction with that of fully sampled data.
import { LarmorError } from '../../errors.js';
import { add, multiply, reshape, slice, sqrt, subtract } from '../../graph/operations.js';
import type { Value } from '../../graph/types.js';
import type { GraphInputs } from '../../networks/graph-inputs.js';
import type { Prediction } from '../../networks/network.js';
import { type Norm, relativeMisfit } from './misfit.js';
import { structuralSimilarity } from './ssim.js';

/** Keeps the magnitude's slope finite where the image is zero; images are of the order of 1. */
const MAGNITUDE_EPSILON = 1e-12;

/** |x| [n,1,y,x] of a complex image [n,2,y,x]. */
function magnitude(x: Value): Value {
  const [re, im] = [0, 1].map((channel) => slice(x, { axes: [1], starts: [channel], ends: [channel + 1] }));
  return sqrt(add(add(multiply(re, re), multiply(im, im)), MAGNITUDE_EPSILON));
}

/** Which magnitude of the full data: of its combination by maps, or its root sum of squares, which coil images are compared with anyway. */
type TargetMagnitude = 'magnitude' | 'rss';

/** The magnitude of a prediction, that of its target, both [n,1,y,x], and the name of the latter. */
function magnitudes(
  { image, coils }: Prediction,
  inputs: GraphInputs,
  wanted: TargetMagnitude = 'magnitude',
): { image: Value; target: Value; name: 'targetRss' | 'targetMagnitude' } {
  const [n, , y, x] = image.shape;
  const name = coils || wanted === 'rss' ? 'targetRss' : 'targetMagnitude';
  const own = coils ? reshape(coils.magnitude, [n, 1, y, x]) : magnitude(image);
  return { image: own, target: inputs.planes(name, 1), name };
}

/** [1]. @throws LarmorError `ERR_ARGUMENT` for a network that makes coil images. */
export function complexMisfit({ image, coils }: Prediction, inputs: GraphInputs, norm: Norm): Value {
  if (coils)
    throw new LarmorError(
      'ERR_ARGUMENT',
      'loss: a network that makes coil images leaves the phase of the image open; use a magnitude loss',
    );
  const target = inputs.planes('target', image.shape[1]);
  return relativeMisfit(subtract(image, target), target, norm);
}

/** [1]. */
export function magnitudeMisfit(
  prediction: Prediction,
  inputs: GraphInputs,
  norm: Norm,
  wanted: TargetMagnitude,
): Value {
  const { image, target } = magnitudes(prediction, inputs, wanted);
  return relativeMisfit(subtract(image, target), target, norm);
}

/** 1 - SSIM, [1]. */
export function dissimilarity(prediction: Prediction, inputs: GraphInputs): Value {
  const { image, target, name } = magnitudes(prediction, inputs);
  return subtract(1, structuralSimilarity(image, target, inputs.scalars(`${name}Range`)));
}
