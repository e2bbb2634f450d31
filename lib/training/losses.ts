// Losses as data, and how each becomes nodes of a training graph.
import { z } from 'zod';
import { LarmorError } from '../errors.js';
import { add, multiply } from '../graph/operations.js';
import type { Value } from '../graph/types.js';
import { configIssue } from '../io/config-issue.js';
import type { GraphInputs } from '../networks/graph-inputs.js';
import type { Prediction, Reconstruct } from '../networks/network.js';
import { complexMisfit, dissimilarity, magnitudeMisfit } from './losses/image.js';
import { fullMisfit, selfMisfits } from './losses/kspace.js';
import { NORMS, type Norm } from './losses/misfit.js';
import { equivariancePenalty, totalVariation } from './losses/penalties.js';

const SUPERVISED = ['complex', 'magnitude', 'rss', 'kspace'] as const;

/**
 * A weighted sum of terms, of which any may be missing, not all. Sums run over the whole batch; denominators are constants of the data. x
 * is the network's output, an image of two real channels; t the target; A the encoding operator; weights are 1 unless given.
 */
export interface LossDescription {
  /**
   * Distance to fully sampled data, relative to their norm (`l1` unless given).
   *
   * `complex`: x to t, channel by channel. `magnitude`: |x| to |t|; it leaves the phase free. `rss`: |x| to the root sum of squares of the
   * full data, which no coil maps cut off. For a network that makes coil images |x| is their root sum of squares, and both are the same.
   * `kspace`: A x to all samples of the full k-space.
   */
  readonly supervised?:
    | {
        readonly on: (typeof SUPERVISED)[number];
        readonly norm?: Norm | undefined;
        readonly weight?: number | undefined;
      }
    | undefined;
  /** 1 - SSIM of magnitudes as fastMRI measures it, the range L being the largest of each target. */
  readonly ssim?: { readonly weight?: number | undefined } | undefined;
  /** Misfit of A x to the measured k-space, over the samples of `lossMask`. */
  readonly self?: { readonly norm: Norm; readonly weight?: number | undefined } | undefined;
  /** Penalties, which `evaluate` leaves out: change of an image that is moved and measured again, and total variation per pixel. */
  readonly equivariance?: { readonly weight: number } | undefined;
  readonly totalVariation?: { readonly weight: number } | undefined;
}

/** The terms that compare with data. */
export function withoutPenalties({ supervised, ssim, self }: LossDescription): LossDescription {
  return { supervised, ssim, self };
}

/**
 * Named losses. `joint` is the default of training, `supervised-rss`, `joint-rss` and `self` are those of the paper of test-time training,
 * `ssdu` and `supervised-kspace` those of SSDU, `ssim` that of fastMRI's VarNet.
 *
 * @see Darestani, Liu, Heckel, Test-time training can close the natural distribution shift performance gap, ICML 2022.
 * @see Yaman et al., Magn Reson Med 2020;84:3172-3191.
 */
export const LOSSES = {
  supervised: { supervised: { on: 'complex' } },
  'supervised-magnitude': { supervised: { on: 'magnitude' } },
  'supervised-rss': { supervised: { on: 'rss' } },
  'supervised-kspace': { supervised: { on: 'kspace', norm: 'l1-l2' } },
  ssim: { ssim: {} },
  self: { self: { norm: 'l1' } },
  ssdu: { self: { norm: 'l1-l2' } },
  joint: { supervised: { on: 'complex' }, self: { norm: 'l1' } },
  'joint-magnitude': { supervised: { on: 'magnitude' }, self: { norm: 'l1' } },
  'joint-rss': { supervised: { on: 'rss' }, self: { norm: 'l1' } },
  'joint-ssim': { ssim: {}, self: { norm: 'l1' } },
} as const satisfies Record<string, LossDescription>;

/** Name of a loss: see `LOSSES`. */
export type LossName = keyof typeof LOSSES;

const LOSS_NAMES = Object.keys(LOSSES) as readonly LossName[];

const weight = z.number().gt(0).optional();
const terms = z
  .strictObject({
    supervised: z.strictObject({ on: z.enum(SUPERVISED), norm: z.enum(NORMS).optional(), weight }).optional(),
    ssim: z.strictObject({ weight }).optional(),
    self: z.strictObject({ norm: z.enum(NORMS), weight }).optional(),
  })
  .refine(({ supervised, ssim, self }) => supervised ?? ssim ?? self, 'wants a term: supervised, ssim or self');
const name = z.enum(LOSS_NAMES as [LossName, ...LossName[]]);

/** A name, or the terms as JSON. Not a union: its complaints would not say what is wrong. */
export const lossSchema = z.unknown().transform((value, context): LossName | LossDescription => {
  const schema = typeof value === 'string' ? name : terms;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { message, field } = configIssue(schema, parsed.error);
  context.addIssue({ code: 'custom', message, path: field === '' ? [] : field.split('.') });
  return z.NEVER;
});

/** What a name stands for, or the description itself. */
export const lossDescription = (loss: LossName | LossDescription): LossDescription =>
  typeof loss === 'string' ? LOSSES[loss] : loss;

/** Whether a loss needs fully sampled data. */
export const needsTarget = ({ supervised, ssim }: LossDescription): boolean => (supervised ?? ssim) !== undefined;

function supervisedTerm(
  { on, norm = 'l1' }: NonNullable<LossDescription['supervised']>,
  prediction: Prediction,
  inputs: GraphInputs,
): Value {
  switch (on) {
    case 'complex':
      return complexMisfit(prediction, inputs, norm);
    case 'magnitude':
    case 'rss':
      return magnitudeMisfit(prediction, inputs, norm, on);
    case 'kspace':
      return fullMisfit(prediction, inputs, norm);
  }
}

/**
 * Appends the loss of a prediction to its graph. A network that makes coil images is compared by their root sum of squares, and by its own
 * k-space.
 *
 * @param reconstruct Makes an image of other inputs, by the same network and parameters.
 * @returns loss [1], and the misfit over held-out samples [1] where the loss has a self-supervised term.
 * @throws LarmorError `ERR_ARGUMENT` for a description without a term, or for a complex loss of a network that makes coil images: these
 *   leave the phase of the image open; `ERR_SHAPE` when a term needs two output channels.
 */
export function buildLoss(
  { supervised, ssim, self, equivariance, totalVariation: variation }: LossDescription,
  prediction: Prediction,
  inputs: GraphInputs,
  reconstruct: Reconstruct,
): { loss: Value; heldOutLoss: Value | undefined } {
  const terms: Value[] = [];
  const push = (term: Value, { weight = 1 }: { readonly weight?: number | undefined }): void => {
    terms.push(weight === 1 ? term : multiply(term, weight));
  };
  const channels = prediction.image.shape[1];
  if (channels !== 2 && (self || ssim || (supervised && supervised.on !== 'complex')))
    throw new LarmorError('ERR_SHAPE', `loss: a complex image needs 2 output channels, the network has ${channels}`);
  if (supervised) push(supervisedTerm(supervised, prediction, inputs), supervised);
  if (ssim) push(dissimilarity(prediction, inputs), ssim);
  const misfits = self && selfMisfits(prediction, inputs, self.norm);
  if (self && misfits) push(misfits.loss, self);
  if (equivariance) push(equivariancePenalty(prediction, inputs, reconstruct), equivariance);
  if (variation) push(totalVariation(prediction), variation);
  if (terms.length === 0)
    throw new LarmorError('ERR_ARGUMENT', 'loss: wants a supervised or a self-supervised term, got neither');
  return { loss: terms.reduce((sum, term) => add(sum, term)), heldOutLoss: misfits?.heldOutLoss };
}
