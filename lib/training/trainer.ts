// Trains a network on a dataset: its memory, sessions and objective for one run.
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { openMemory } from '../networks/open-memory.js';
import { ParameterStore } from '../networks/parameters.js';
import type { Memory } from '../runtime/memory.js';
import { Adam } from './adam.js';
import { trainedParameters } from './graph.js';
import { Learner } from './learner.js';
import { LOSSES, type LossDescription } from './losses.js';
import { MetaObjective, PlainObjective } from './objective.js';
import { openTrainingSession } from './open-session.js';
import type { TrainingResult, TrainOptions } from './plan.js';
import { maskKind, TrainingRun } from './run.js';
import { SessionPool } from './session-pool.js';

/**
 * Trains until the plan's steps are made or validation stops improving. Slices may differ in size: a batch holds slices of one size, and all
 * sizes train the same weights.
 *
 * Whatever stops it, an abort or an error, a checkpoint is written first where `checkpoint` asks for them. Only when training diverges, the
 * last checkpoint before stays as it is. Where saving fails too, what stopped the run is thrown all the same, and its message tells both.
 *
 * @throws LarmorError `ERR_DIVERGED` with the step; the code of what befell the data, with its file; as `openTrainingSession`,
 *   `loadCheckpoint`, `saveCheckpoint` and `MetricsLog`. signal.reason when aborted.
 */
export async function train(options: TrainOptions): Promise<TrainingResult> {
  const { network, plan } = options;
  if (network.inChannels !== 2 || network.outChannels !== 2)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `train: the network must take and give complex images, 2 channels; got ${network.inChannels} and ${network.outChannels}`,
    );
  const threads = options.threads ?? binding.platform().threads;
  const start = options.weights?.clone() ?? ParameterStore.initialise(network.parameters, plan.seed);
  const memory = await openMemory('train', { device: options.device, threads });
  try {
    return await trainIn(memory, threads, start, options);
  } finally {
    await memory.close();
  }
}

async function trainIn(
  memory: Memory,
  threads: number,
  start: ParameterStore,
  options: TrainOptions,
): Promise<TrainingResult> {
  const { network, plan, signal } = options;
  const learner = await Learner.create(new Adam(memory, start, trainedParameters(network), plan.optimiser), plan);
  const mask = maskKind(options);
  const sessionsFor = (loss: LossDescription): SessionPool =>
    new SessionPool(([coils, height, width]) => {
      const { batch, recompute } = plan;
      const shapes = { batch, coils, height, width, mask };
      return openTrainingSession(learner.adam, { network, loss, recompute, shapes, threads, signal });
    });
  const { meta } = plan;
  await using outer = sessionsFor(meta && meta.outer !== 'loss' ? LOSSES.self : plan.loss);
  await using inner = sessionsFor(LOSSES.self);
  const plain = new PlainObjective(outer);
  const objective = meta ? new MetaObjective(new PlainObjective(inner), plain, learner.adam, meta) : plain;
  return await new TrainingRun(options, learner, objective, await learner.judged.read()).finish();
}
