// Zero-shot learning: a network that learns from the samples of one slice alone.
import type { Model } from '../networks/model.js';
import { createNetwork } from '../networks/network.js';
import { ParameterStore } from '../networks/parameters.js';
import type { AdaptationOptions } from './options.js';

const PAIRS = 25;
const EPOCHS = 300;
const PATIENCE = 25;

/**
 * The published procedure: a fifth of the samples judges; the others are divided 25 times into what the network sees and what the loss looks
 * at, uniformly and outside the 4 x 4 samples at the centre. An epoch is a step of Adam at 5e-4 for each of these pairs. Training ends
 * after 25 epochs without a better one, at most 300, and the best weights make the image of all samples.
 *
 * @see Yaman, Hosseini, Akcakaya, Zero-Shot Self-Supervised Learning for MRI Reconstruction, ICLR 2022.
 */
export const ZERO_SHOT: AdaptationOptions = {
  maxIterations: PAIRS * EPOCHS,
  learningRate: 5e-4,
  warmUp: 0,
  heldOut: { kind: 'points', fraction: 0.2, protectedCenter: 4 },
  loss: { norm: 'l1-l2', samples: 'disjoint', kind: 'ssdu-uniform', fraction: 0.4, protectedCenter: 4, pairs: PAIRS },
  stop: { rule: 'patience', patience: PAIRS * PATIENCE },
  notNeeded: { after: 0 },
  keep: 'best',
  average: false,
  interval: PAIRS,
};

/** Small, as one slice cannot teach much. */
const NETWORK = { cascades: 3, channels: 8, pools: 2, iterations: 10 };

/** A network with random weights, for learning without a model; it starts from the image of CG-SENSE. */
export function untrainedModel(seed = 0): Model {
  const network = createNetwork('unrolled', NETWORK);
  return { network, weights: ParameterStore.initialise(network.parameters, seed), input: 'sense', notes: {} };
}
