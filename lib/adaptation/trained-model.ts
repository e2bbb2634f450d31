// The model as adaptation trains it: which of its parameters change, or the adapters that change in their place.

import { withAdapters } from '../networks/low-rank.js';
import type { Model } from '../networks/model.js';
import type { ParameterStore } from '../networks/parameters.js';
import type { Trainable } from '../training/graph.js';
import type { LossDescription } from '../training/losses.js';
import { createTrainingSession, type TrainingSession } from '../training/session.js';
import type { AdaptationSettings } from './options.js';
import type { PreparedSlice, SessionData } from './prepare.js';

export interface TrainedModel extends Model {
  readonly loss: LossDescription;
  readonly trainable: Trainable;
  readonly recompute: boolean;
  /** Weights for the network of the given model that do what these do. */
  merge(weights: ParameterStore): ParameterStore;
}

/** The same for the same model and settings, wherever it is made. */
export function trainedModel(
  model: Model,
  { parameters, recompute, loss: { norm } }: Pick<AdaptationSettings, 'parameters' | 'recompute' | 'loss'>,
): TrainedModel {
  const loss = { self: { norm } };
  if (typeof parameters === 'string')
    return { ...model, loss, recompute, trainable: parameters, merge: (weights) => weights.clone() };
  const { network, weights, trains, merge } = withAdapters(model.network, model.weights, parameters.lowRank);
  return { ...model, loss, recompute, network, weights, trainable: trains, merge };
}

/** A training session for slices of one size. */
export function adaptationSession(
  { network, weights, loss, trainable, recompute }: TrainedModel,
  [coils, height, width]: PreparedSlice['sizes'],
  maskKinds: PreparedSlice['maskKinds'],
  threads: number | undefined,
  signal: AbortSignal | undefined,
): Promise<TrainingSession> {
  const shapes = { coils, height, width, ...maskKinds };
  return createTrainingSession({ network, weights, loss, shapes, trainable, recompute, threads, signal });
}

/** The part of a slice's data that a session takes. */
export function needed(data: SessionData, { inputs }: TrainingSession): SessionData {
  return Object.fromEntries(inputs.filter((name) => Object.hasOwn(data, name)).map((name) => [name, data[name]]));
}
