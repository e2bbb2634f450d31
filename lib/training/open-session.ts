// Loads networks with their losses for training.
import { graphToOnnx } from '../graph/onnx.js';
import type { Graph } from '../graph/types.js';
import { graphForDevice } from '../graph/webgpu.js';
import { openMemory, type Placement } from '../networks/open-memory.js';
import type { ParameterStore } from '../networks/parameters.js';
import type { LoadOptions } from '../runtime/memory.js';
import type { Session } from '../runtime/session.js';
import { Adam, type AdamOptions } from './adam.js';
import { buildTrainingGraphs, type TrainingGraphOptions, trainedParameters } from './graph.js';
import { TrainingSession } from './session.js';

/** What `createTrainingSession` loads. */
export interface TrainingSessionOptions extends TrainingGraphOptions, Placement {
  /** Where training starts; copied. */
  readonly weights: ParameterStore;
  readonly optimiser?: AdamOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads a network with its loss for training.
 *
 * Memory: weights four times (weights, gradients, two moments), the data once, and the activations of one step while it runs.
 *
 * @throws LarmorError `ERR_ARGUMENT`, `ERR_SHAPE`; `ERR_RUNTIME_MISSING`, `ERR_DEVICE`, `ERR_OUT_OF_MEMORY`; signal.reason when aborted.
 * @example
 * await using session = await createTrainingSession({ network, weights, loss: LOSSES.self, shapes });
 * session.set({ image, maps, lossMask, heldOutMask, kspace });
 * for (let i = 0; i < 100; i++) await session.step();
 * const image = await session.predict();
 */
export async function createTrainingSession(options: TrainingSessionOptions): Promise<TrainingSession> {
  const { weights, optimiser = {} } = options;
  const trained = trainedParameters(options.network, options.trainable);
  const memory = await openMemory('createTrainingSession', options);
  try {
    return await openTrainingSession(new Adam(memory, weights, trained, optimiser), options, true);
  } catch (error) {
    await memory.close();
    throw error;
  }
}

/**
 * A session that trains the weights of an optimiser, in its memory; other sessions of the same network may share them: one for every size of
 * data, or for every loss. Sharing sessions take turns. Throws as `createTrainingSession`.
 *
 * @param owned Whether the optimiser's memory is closed with the session.
 */
export async function openTrainingSession(
  adam: Adam,
  options: TrainingGraphOptions & LoadOptions,
  owned = false,
): Promise<TrainingSession> {
  const graphs = buildTrainingGraphs(options);
  const load = (graph: Graph, replay: boolean, signal?: AbortSignal): Promise<Session> =>
    adam.memory.load(graphToOnnx(graphForDevice(graph, adam.memory.device, { replay })), {
      ...options,
      signal,
      replay,
    });
  const session = await load(graphs.step, true, options.signal);
  return new TrainingSession(graphs, adam, session, () => load(graphs.forward, false), owned);
}
