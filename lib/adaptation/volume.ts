// Joint test-time training over slices of a volume: one state of training from which every slice then goes on.
import { LarmorError } from '../errors.js';
import type { Model } from '../networks/model.js';
import type { Placement } from '../networks/open-memory.js';
import { isComplete } from '../sampling/mask.js';
import type { TrainingState } from '../training/adam.js';
import { type AdaptationSettings, learningRateAt } from './options.js';
import { type AdaptationSlice, prepareSlice } from './prepare.js';
import { adaptationSession, needed, stepData, trainedModel } from './trained-model.js';
import type { MeasuredSlice } from './viewpoint.js';

export interface JointOptions extends Placement {
  readonly signal?: AbortSignal | undefined;
  /** Steps made, of how many. */
  readonly onStep?: ((step: number, steps: number) => void) | undefined;
}

/**
 * Trains one copy of the model on `volumeSlices` slices, evenly spaced over the volume: `volumeIterations` steps, each on one of them, in turn.
 *
 * Slices must share their size. Memory: these slices, and the activations of one, however long the volume. The held-out samples
 * are those of the later adaptation of each slice, so its starting loss is honest.
 *
 * @param read Measures slice i; called once for each that is used, in order.
 * @returns Weights and optimiser, or undefined when a step left the finite numbers, or the slices are fully sampled: they then start from the model.
 * @throws LarmorError as `prepareSlice`; `ERR_SHAPE` when sizes differ; signal.reason when aborted.
 */
export async function adaptJointly(
  model: Model,
  settings: AdaptationSettings,
  count: number,
  read: (i: number) => Promise<MeasuredSlice>,
  { signal, onStep, ...placement }: JointOptions = {},
): Promise<TrainingState | undefined> {
  const { volumeIterations } = settings;
  const { threads } = placement;
  const slices: AdaptationSlice[] = [];
  for (const i of evenlySpaced(count, Math.min(settings.volumeSlices, volumeIterations))) {
    const measured = await read(i);
    if (!isComplete(measured.mask)) slices.push(await prepareSlice(measured, model, settings, { signal, threads }));
  }
  if (slices.length === 0) return undefined;
  const [{ sizes, maskKinds }] = slices;
  const other = slices.find((slice) => `${slice.sizes}` !== `${sizes}`);
  if (other)
    throw new LarmorError(
      'ERR_SHAPE',
      `adaptation: slices of one volume must share their size, got ${sizes} and ${other.sizes}`,
    );
  const trained = trainedModel(model, settings);
  await using session = await adaptationSession(trained, sizes, maskKinds, placement, signal);
  try {
    for (let step = 0; step < volumeIterations; step += 1) {
      const slice = slices[step % slices.length];
      const drawn = await slice.draw?.(step, { signal, threads });
      session.set(needed({ ...slice.data, ...(drawn ?? slice.judged) }, session));
      session.set(stepData(slice, session, step));
      await session.step({ learningRate: learningRateAt(settings, step), signal });
      onStep?.(step + 1, volumeIterations);
    }
  } catch (error) {
    if (error instanceof LarmorError && error.code === 'ERR_DIVERGED') return undefined;
    throw error;
  }
  return await session.snapshot();
}

/** At most so many of the positions below `count`, each in the middle of its share. */
function evenlySpaced(count: number, most: number): number[] {
  const chosen = Math.min(most, count);
  return Array.from({ length: chosen }, (_, i) => Math.floor(((i + 0.5) * count) / chosen));
}
