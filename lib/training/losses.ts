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
import type { Value } from '../graph/types.js';

/**
 * A weighted sum of a supervised and a self-supervised term; either may be missing, not both. Sums run over the whole batch; denominators
 * are constants of the data. x is the network's output, an image of two real channels; t the target; A the encoding operator.
 */
export interface LossDescription {
  /**
   * `complex`: sum(|Re(x - t)| + |Im(x - t)|) / sum(|Re t| + |Im t|), t of the channels of x.
   * `magnitude`: sum(| |x| - t |) / sum(|t|), t one real channel. It leaves the phase free.
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

/** |x| [n,1,y,x] of a complex image [n,2,y,x]. */
function magnitude(x: Value): Value {
  const [re, im] = [0, 1].map((channel) => slice(x, { axes: [1], starts: [channel], ends: [channel + 1] }));
  return sqrt(add(add(multiply(re, re), multiply(im, im)), MAGNITUDE_EPSILON));
}

function supervisedLoss(output: Value, target: Value, on: 'complex' | 'magnitude'): Value {
  const image = on === 'magnitude' ? magnitude(output) : output;
  const ratio = divide(reduceSum(abs(subtract(image, target))), reduceSum(abs(target)));
  return reshape(ratio, [1]);
}

/** Inputs that a loss may need, created when asked for. */
export interface LossInputs {
  /** [n, channels, y, x], or [n, 1, y, x] for a magnitude loss. */
  target(channels: number): Value;
  maps(): Value;
  mask(): Value;
  heldOutMask(): Value;
  kspace(): Value;
}

/**
 * Appends the loss of `output` to its graph.
 *
 * @returns loss [1], and the misfit over held-out samples [1] where the loss has a self-supervised term.
 * @throws LarmorError `ERR_ARGUMENT` for a description without a term; `ERR_SHAPE` when a term needs two output channels.
 */
export function buildLoss(
  { supervised, self }: LossDescription,
  output: Value,
  inputs: LossInputs,
): { loss: Value; heldOutLoss: Value | undefined } {
  const terms: Value[] = [];
  const weighted = (term: Value, weight = 1): Value => (weight === 1 ? term : multiply(term, weight));
  const channels = output.shape[1];
  if (channels !== 2 && (self || supervised?.on === 'magnitude'))
    throw new LarmorError('ERR_SHAPE', `loss: a complex image needs 2 output channels, the network has ${channels}`);
  if (supervised) {
    const target = inputs.target(supervised.on === 'magnitude' ? 1 : channels);
    terms.push(weighted(supervisedLoss(output, target, supervised.on), supervised.weight));
  }
  let heldOutLoss: Value | undefined;
  if (self) {
    const [maps, mask, heldOutMask, kspace] = [inputs.maps(), inputs.mask(), inputs.heldOutMask(), inputs.kspace()];
    const misfit = dataLoss(output, { maps, mask, heldOutMask, kspace }, self.norm);
    terms.push(weighted(misfit.loss, self.weight));
    heldOutLoss = misfit.heldOutLoss;
  }
  if (terms.length === 0)
    throw new LarmorError('ERR_ARGUMENT', 'loss: wants a supervised or a self-supervised term, got neither');
  return { loss: terms.reduce((sum, term) => add(sum, term)), heldOutLoss };
}
