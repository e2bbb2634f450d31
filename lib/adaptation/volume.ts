// Joint test-time training over the slices of a volume: one set of weights from which every slice then starts.
import { LarmorError } from '../errors.js';
import type { Model } from '../networks/model.js';
import { stack } from '../training/dataset.js';
import { type AdaptationSettings, learningRateAt } from './options.js';
import { type MeasuredSlice, type PreparedSlice, prepareSlice, type SessionData } from './prepare.js';
import { adaptationSession, needed } from './slice.js';

export interface JointOptions {
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Steps made, of how many. */
  readonly onStep?: ((step: number, steps: number) => void) | undefined;
}

/**
 * Trains one copy of the model on batches of slices, `volumeIterations` steps a batch, each batch going on from the last.
 *
 * Slices must share their size. Memory: `batch` slices and their activations, however long the volume. The held-out samples
 * are those of the later adaptation of each slice, so its starting loss is honest.
 *
 * @param read Measures slice i; called once for each, in order.
 * @returns The weights, or undefined when a step left the finite numbers: slices then start from the model.
 * @throws LarmorError as `prepareSlice`; `ERR_SHAPE` when sizes differ; signal.reason when aborted.
 */
export async function adaptJointly(
  model: Model,
  settings: AdaptationSettings,
  count: number,
  read: (i: number) => Promise<MeasuredSlice>,
  { threads, signal, onStep }: JointOptions = {},
): Promise<Float32Array<ArrayBuffer> | undefined> {
  const { volumeIterations } = settings;
  const size = Math.min(settings.batch, count);
  const batches = Math.floor(count / size);
  let weights = model.weights.clone();
  for (let b = 0; b < batches; b += 1) {
    const slices: PreparedSlice[] = [];
    for (let i = 0; i < size; i += 1)
      slices.push(await prepareSlice(await read(b * size + i), model, settings, { signal, threads }));
    const [{ sizes, maskKinds }] = slices;
    const other = slices.find((slice) => `${slice.sizes}` !== `${sizes}`);
    if (other)
      throw new LarmorError(
        'ERR_SHAPE',
        `adaptation: slices of one volume must share their size, got ${sizes} and ${other.sizes}`,
      );
    await using session = await adaptationSession(
      { ...model, weights },
      settings,
      size,
      sizes,
      maskKinds,
      threads,
      signal,
    );
    const show = (views: readonly SessionData[]): void =>
      session.set(stack(views.map((view) => needed(view, session))));
    show(slices.map(({ data, judged }) => ({ ...data, ...judged })));
    try {
      for (let step = 1; step <= volumeIterations; step += 1) {
        const drawn: SessionData[] = [];
        for (const { draw } of slices) if (draw) drawn.push(await draw(step - 1, { signal, threads }));
        if (drawn.length > 0) show(drawn);
        await session.step({ learningRate: learningRateAt(settings, step - 1), signal });
        onStep?.(b * volumeIterations + step, batches * volumeIterations);
      }
    } catch (error) {
      if (error instanceof LarmorError && error.code === 'ERR_DIVERGED') return undefined;
      throw error;
    }
    weights = session.weights.clone();
  }
  return weights.data;
}
