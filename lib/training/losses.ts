// Losses as data, and how each becomes nodes of a training graph.
import { LarmorError } from '../errors.js';
import {
  abs,
  add,
  dataLoss,
  divide,
  multiply,
  reduceSum,
  reshape,
  slice,
  sqrt,
  subtract,
} from '../graph/operations.js';
import { sampleWeights } from '../graph/operators/physics-forms.js';
import type { Value } from '../graph/types.js';
import type { GraphInputs } from '../networks/graph-inputs.js';
import type { Prediction } from '../networks/network.js';

/**
 * A weighted sum of a supervised and a self-supervised term; either may be missing, not both. Sums run over the whole batch; denominators
 * are constants of the data. x is the network's output, an image of two real channels; t the target; A the encoding operator.
 */
export interface LossDescription {
  /**
   * `complex`: sum(|Re(x - t)| + |Im(x - t)|) / sum(|Re t| + |Im t|), t of the channels of x.
   * `magnitude`: sum(| |x| - t |) / sum(|t|), t one real channel. It leaves the phase free. For a network that makes coil images |x| is
   * their root sum of squares.
   */
  readonly supervised?: { readonly on: 'complex' | 'magnitude'; readonly weight?: number | undefined } | undefined;
  /** Misfit of A x to the measured k-space; `l1`: sum(|Re r| + |Im r|) over the same sum of the data, `l2`: ||r|| / ||y||. */
  readonly self?: { readonly norm: 'l1' | 'l2'; readonly weight?: number | undefined } | undefined;
}

/**
 * Named losses. `joint` is the default of training, `joint-magnitude` and `self` are those of the paper.
 *
 * @see Darestani, Liu, Heckel, Test-time training can close the natural distribution shift performance gap, ICML 2022.
 */
export const LOSSES = {
  supervised: { supervised: { on: 'complex' } },
  'supervised-magnitude': { supervised: { on: 'magnitude' } },
  self: { self: { norm: 'l1' } },
  joint: { supervised: { on: 'complex' }, self: { norm: 'l1' } },
  'joint-magnitude': { supervised: { on: 'magnitude' }, self: { norm: 'l1' } },
} as const satisfies Record<string, LossDescription>;

/** Keeps the magnitude's slope finite where the image is zero; images are of the order of 1. */
const MAGNITUDE_EPSILON = 1e-12;
/** Keeps the misfit of no samples at zero; sums of k-space are of the order of its number of samples. */
const MISFIT_FLOOR = 1e-12;

/** |x| [n,1,y,x] of a complex image [n,2,y,x]. */
function magnitude(x: Value): Value {
  const [re, im] = [0, 1].map((channel) => slice(x, { axes: [1], starts: [channel], ends: [channel + 1] }));
  return sqrt(add(add(multiply(re, re), multiply(im, im)), MAGNITUDE_EPSILON));
}

function supervisedLoss({ image, coils }: Prediction, inputs: GraphInputs, on: 'complex' | 'magnitude'): Value {
  if (coils && on === 'complex')
    throw new LarmorError(
      'ERR_ARGUMENT',
      'loss: a network that makes coil images leaves the phase of the image open; use a magnitude loss',
    );
  const [n, channels, y, x] = image.shape;
  if (on === 'complex') return relativeL1(image, inputs.planes('target', channels));
  return coils
    ? relativeL1(reshape(coils.magnitude, [n, 1, y, x]), inputs.planes('targetRss', 1))
    : relativeL1(magnitude(image), inputs.planes('targetMagnitude', 1));
}

/** sum(|x - t|) / sum(|t|), [1]. */
function relativeL1(x: Value, target: Value): Value {
  return reshape(divide(reduceSum(abs(subtract(x, target))), reduceSum(abs(target))), [1]);
}

/** Misfit to the samples of `lossMask`, which trains, and of `heldOutMask`, which does not. */
function selfLoss(
  { image, coils }: Prediction,
  inputs: GraphInputs,
  norm: 'l1' | 'l2',
): { loss: Value; heldOutLoss: Value } {
  const [mask, heldOutMask, kspace] = [
    inputs.lossSamples('lossMask'),
    inputs.lossSamples('heldOutMask'),
    inputs.measured(),
  ];
  if (!coils) return dataLoss(image, { maps: inputs.maps(), mask, heldOutMask, kspace }, norm);
  const misfit = (samples: Value): Value => kspaceMisfit(coils.kspace, kspace, samples, norm);
  return { loss: misfit(mask), heldOutLoss: misfit(heldOutMask) };
}

/** The misfit of `dataLoss` for predicted k-space. */
function kspaceMisfit(predicted: Value, measured: Value, samples: Value, norm: 'l1' | 'l2'): Value {
  const weights = sampleWeights(samples);
  const total = (x: Value): Value => reduceSum(norm === 'l1' ? abs(x) : multiply(x, x));
  // An empty set of samples has no misfit.
  const floor = norm === 'l1' ? MISFIT_FLOOR : MISFIT_FLOOR ** 2;
  const ratio = divide(
    total(multiply(weights, subtract(predicted, measured))),
    add(total(multiply(weights, measured)), floor),
  );
  return reshape(norm === 'l1' ? ratio : sqrt(add(ratio, MISFIT_FLOOR ** 2)), [1]);
}

/**
 * Appends the loss of a prediction to its graph. A network that makes coil images is compared by their root sum of squares, and by its own
 * k-space.
 *
 * @returns loss [1], and the misfit over held-out samples [1] where the loss has a self-supervised term.
 * @throws LarmorError `ERR_ARGUMENT` for a description without a term, or for a complex loss of a network that makes coil images: these
 *   leave the phase of the image open; `ERR_SHAPE` when a term needs two output channels.
 */
export function buildLoss(
  { supervised, self }: LossDescription,
  prediction: Prediction,
  inputs: GraphInputs,
): { loss: Value; heldOutLoss: Value | undefined } {
  const terms: Value[] = [];
  const weighted = (term: Value, weight = 1): Value => (weight === 1 ? term : multiply(term, weight));
  const channels = prediction.image.shape[1];
  if (channels !== 2 && (self || supervised?.on === 'magnitude'))
    throw new LarmorError('ERR_SHAPE', `loss: a complex image needs 2 output channels, the network has ${channels}`);
  if (supervised) terms.push(weighted(supervisedLoss(prediction, inputs, supervised.on), supervised.weight));
  let heldOutLoss: Value | undefined;
  if (self) {
    const misfit = selfLoss(prediction, inputs, self.norm);
    terms.push(weighted(misfit.loss, self.weight));
    heldOutLoss = misfit.heldOutLoss;
  }
  if (terms.length === 0)
    throw new LarmorError('ERR_ARGUMENT', 'loss: wants a supervised or a self-supervised term, got neither');
  return { loss: terms.reduce((sum, term) => add(sum, term)), heldOutLoss };
}
