// The model as adaptation trains it: which of its parameters change, or the adapters that change in their place.

import { LarmorError } from '../errors.js';
import { isImageNetwork } from '../networks/image-network.js';
import { withAdapters } from '../networks/low-rank.js';
import type { Model } from '../networks/model.js';
import { checkInputKind } from '../networks/network-input.js';
import type { Placement } from '../networks/open-memory.js';
import type { ParameterStore } from '../networks/parameters.js';
import type { Trainable } from '../training/graph.js';
import type { LossDescription } from '../training/losses.js';
import { createTrainingSession } from '../training/open-session.js';
import type { TrainingSession } from '../training/session.js';
import { drawMoves } from './moves.js';
import type { AdaptationSettings } from './options.js';
import type { AdaptationSlice } from './prepare.js';
import type { SessionData } from './viewpoint.js';

/** Sets the moves of a step apart from its samples. */
const MOVES = 1;

export interface TrainedModel extends Model {
  readonly loss: LossDescription;
  readonly trainable: Trainable;
  readonly recompute: boolean;
  /** Weights for the network of the given model that do what these do. */
  merge(weights: ParameterStore): Promise<ParameterStore>;
}

/** The same for the same model and settings, wherever it is made. */
export function trainedModel(
  model: Model,
  settings: Pick<AdaptationSettings, 'parameters' | 'recompute' | 'loss' | 'penalties' | 'input'>,
): TrainedModel {
  const { parameters, recompute } = settings;
  const loss = lossOf(model, settings);
  if (typeof parameters === 'string')
    return { ...model, loss, recompute, trainable: parameters, merge: async (weights) => weights.clone() };
  const { network, weights, trains, merge } = withAdapters(model.network, model.weights, parameters.lowRank);
  return { ...model, loss, recompute, network, weights, trainable: trains, merge };
}

/** @throws LarmorError `ERR_ARGUMENT` where the image that the network takes is not A^H y, as equivariance and some networks need. */
function lossOf(
  model: Model,
  { loss, penalties, input = model.input }: Pick<AdaptationSettings, 'loss' | 'penalties' | 'input'>,
): LossDescription {
  const { equivariance, totalVariation } = penalties;
  checkInputKind('adapt', model.network, input);
  if (equivariance > 0 && model.network.gives === 'coils')
    throw new LarmorError(
      'ERR_ARGUMENT',
      'adapt.penalties.equivariance needs a network that gives one image; this one gives coil images',
    );
  if (equivariance > 0 && (input !== 'sense' || (loss.samples === 'disjoint' && isImageNetwork(model.network))))
    throw new LarmorError(
      'ERR_ARGUMENT',
      'adapt.penalties.equivariance goes with input sense, and with a disjoint loss only where the network has the measurement inside',
    );
  return {
    self: { norm: loss.norm },
    ...(equivariance > 0 && { equivariance: { weight: equivariance } }),
    ...(totalVariation > 0 && { totalVariation: { weight: totalVariation } }),
  };
}

/** What a step takes beside the slice: random moves, where the loss has a use for them. */
export function stepData({ seed, sizes }: AdaptationSlice, { inputs }: TrainingSession, step: number): SessionData {
  const [, height, width] = sizes;
  return inputs.includes('moveY') ? drawMoves([seed, step + 1, MOVES].flat(), height, width) : {};
}

/** A training session for slices of one size. */
export function adaptationSession(
  { network, weights, loss, trainable, recompute }: TrainedModel,
  [coils, height, width]: AdaptationSlice['sizes'],
  maskKinds: AdaptationSlice['maskKinds'],
  placement: Placement,
  signal: AbortSignal | undefined,
): Promise<TrainingSession> {
  const shapes = { coils, height, width, ...maskKinds };
  return createTrainingSession({ network, weights, loss, shapes, trainable, recompute, ...placement, signal });
}

/** The part of a slice's data that a session takes. */
export function needed(data: SessionData, { inputs }: TrainingSession): SessionData {
  return Object.fromEntries(inputs.filter((name) => Object.hasOwn(data, name)).map((name) => [name, data[name]]));
}
