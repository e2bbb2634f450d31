// Trains a network on a dataset: schedule, validation, early stop, checkpoints.

import { points } from '../arrays/complex-array.js';
import { coilMagnitude, magnitude } from '../arrays/magnitude.js';
import { MT19937 } from '../arrays/mt19937.js';
import { fromPlanes } from '../arrays/planar.js';
import { LarmorError } from '../errors.js';
import { ssim } from '../metrics/metrics.js';
import type { Network } from '../networks/network.js';
import { ParameterStore } from '../networks/parameters.js';
import type { AdamOptions } from './adam.js';
import { type Checkpoint, loadCheckpoint, saveCheckpoint, type Validation } from './checkpoint.js';
import { type Dataset, stack, type TrainingSample } from './dataset.js';
import type { LossDescription } from './losses.js';
import { createTrainingSession, type TrainingSession } from './session.js';

/** What defines a run; two runs with equal plans and data give equal weights. */
export interface TrainingPlan {
  readonly loss: LossDescription;
  readonly steps: number;
  /** Slices per step. */
  readonly batch: number;
  readonly optimiser: AdamOptions;
  /** `cosine`: the learning rate falls to zero along half a cosine over all steps. */
  readonly schedule: 'constant' | 'cosine';
  /** Order of the slices and their masks; initial weights. */
  readonly seed: number;
  /** Steps between validations. */
  readonly validateEvery: number;
  /** Validations without a lower loss after which training stops. Default: never. */
  readonly patience?: number | undefined;
}

/** Where a training run stands. */
export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  /** Mean over the last steps. */
  readonly loss: number;
  readonly validation: Validation | undefined;
  readonly secondsLeft: number;
}

/** What `train` needs. */
export interface TrainOptions {
  readonly network: Network;
  readonly plan: TrainingPlan;
  readonly training: Dataset;
  /** Without it the last weights are the result. */
  readonly validation?: Dataset | undefined;
  /** Where training starts. Default: drawn from the plan's seed. */
  readonly weights?: ParameterStore | undefined;
  /** Written every so many steps (0: never) and when aborted; `resume` goes on from it, bit for bit. */
  readonly checkpoint?:
    | { readonly path: string; readonly every: number; readonly resume: boolean; readonly run: string }
    | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

/** What came of a training run. */
export interface TrainingResult {
  /** Those of the lowest validation loss, or the last. */
  readonly weights: ParameterStore;
  readonly steps: number;
  readonly stop: 'steps' | 'patience';
  readonly validations: readonly Validation[];
}

/** Steps over which the reported loss is averaged. */
const AVERAGE = 20;

/**
 * Trains until the plan's steps are made or validation stops improving.
 *
 * @throws LarmorError `ERR_DIVERGED` with the step; `ERR_ARGUMENT` when training and validation data differ in size; as
 *   `createTrainingSession`, `loadCheckpoint` and `saveCheckpoint`. signal.reason when aborted, after a checkpoint was written.
 */
export async function train(options: TrainOptions): Promise<TrainingResult> {
  const { plan, training, validation, threads, signal } = options;
  const { network } = options;
  const [height, width] = training.matrix;
  if (validation && (validation.coils !== training.coils || String(validation.matrix) !== String(training.matrix)))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `train: validation data must have the size of the training data, ${training.coils} coils of [${training.matrix}], ` +
        `got ${validation.coils} of [${validation.matrix}]`,
    );
  if (network.inChannels !== 2 || network.outChannels !== 2)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `train: the network must take and give complex images, 2 channels; got ${network.inChannels} and ${network.outChannels}`,
    );
  const weights = options.weights ?? ParameterStore.initialise(network.parameters, plan.seed);
  const shapes = { batch: plan.batch, coils: training.coils, height, width };
  await using session = await createTrainingSession({ network, weights, threads, signal, ...plan, shapes });
  return await new Run(options, session).finish();
}

/** One run of `train`. */
class Run {
  readonly #options: TrainOptions;
  readonly #session: TrainingSession;
  readonly #validations: Validation[] = [];
  readonly #losses: number[] = [];
  #bestWeights: Float32Array;

  constructor(options: TrainOptions, session: TrainingSession) {
    this.#options = options;
    this.#session = session;
    this.#bestWeights = session.weights.data.slice();
  }

  async finish(): Promise<TrainingResult> {
    const { plan, signal, checkpoint } = this.#options;
    await this.#resume();
    await this.#validateIfDue();
    const started = performance.now();
    const first = this.#session.steps;
    try {
      while (this.#session.steps < plan.steps && !this.#outOfPatience()) {
        await this.#step();
        const { steps } = this.#session;
        await this.#validateIfDue();
        if (checkpoint && checkpoint.every > 0 && steps % checkpoint.every === 0) await this.#save();
        const seconds = (performance.now() - started) / 1000;
        this.#report((seconds / (steps - first)) * (plan.steps - steps));
      }
    } catch (error) {
      // A step that is aborted leaves the session as it was before, so that nothing done so far is lost.
      if (signal?.aborted && checkpoint) await this.#save();
      throw error;
    }
    const weights = new ParameterStore(this.#options.network.parameters);
    weights.data.set(this.#options.validation ? this.#bestWeights : this.#session.weights.data);
    const { steps } = this.#session;
    return { weights, steps, stop: steps < plan.steps ? 'patience' : 'steps', validations: this.#validations };
  }

  async #step(): Promise<void> {
    const { plan, signal } = this.#options;
    const { steps } = this.#session;
    this.#session.set(await this.#batch(steps));
    const { loss } = await this.#session.step({ learningRate: learningRate(plan, steps), signal });
    this.#losses.push(loss);
    if (this.#losses.length > AVERAGE) this.#losses.shift();
  }

  /** The slices of step `step`: each epoch goes through all of them in an order of its own. */
  async #batch(step: number): Promise<TrainingSample> {
    const { plan, training } = this.#options;
    const samples: TrainingSample[] = [];
    for (let i = 0; i < plan.batch; i++) {
      const position = step * plan.batch + i;
      const epoch = Math.floor(position / training.length);
      const order = new MT19937([plan.seed, epoch]).permutation(training.length);
      samples.push(await this.#sample(training, order[position % training.length], position + 1));
    }
    return stack(samples);
  }

  #sample(dataset: Dataset, index: number, draw: number, names = this.#session.inputs): Promise<TrainingSample> {
    const { signal, threads } = this.#options;
    return dataset.sample(index, draw, names, { signal, threads });
  }

  async #validateIfDue(): Promise<void> {
    const { plan } = this.#options;
    const { steps } = this.#session;
    const due = steps > 0 && (steps % plan.validateEvery === 0 || steps === plan.steps);
    if (due && this.#validations.at(-1)?.step !== steps) await this.#validate();
  }

  /** Loss and SSIM over the validation slices, each under its first mask; the last batch is filled up with slices seen already. */
  async #validate(): Promise<void> {
    const { validation, plan, signal } = this.#options;
    if (!validation) return;
    const batches = Math.ceil(validation.length / plan.batch);
    const { gives } = this.#options.network;
    const reference = gives === 'coils' ? 'targetRss' : 'targetMagnitude';
    const { inputs } = this.#session;
    const names = [...new Set([...inputs, reference])];
    let loss = 0;
    let similarity = 0;
    for (let b = 0; b < batches; b++) {
      const samples: TrainingSample[] = [];
      for (let i = 0; i < plan.batch; i++)
        samples.push(await this.#sample(validation, (b * plan.batch + i) % validation.length, 0, names));
      const batch = stack(samples);
      this.#session.set(Object.fromEntries(inputs.map((name) => [name, batch[name]])));
      const result = await this.#session.evaluate({ signal });
      loss += result.loss / batches;
      const shape = [plan.batch, ...validation.matrix];
      const image = { data: outputMagnitudes(result.output, gives, shape), shape };
      similarity += ssim({ data: batch[reference], shape }, image) / batches;
    }
    const best = Math.min(...this.#validations.map((earlier) => earlier.loss));
    if (loss < best) this.#bestWeights = this.#session.weights.data.slice();
    this.#validations.push({ step: this.#session.steps, loss, ssim: similarity });
  }

  #outOfPatience(): boolean {
    const { patience } = this.#options.plan;
    if (patience === undefined || this.#validations.length === 0) return false;
    const losses = this.#validations.map(({ loss }) => loss);
    return losses.length - 1 - losses.indexOf(Math.min(...losses)) >= patience;
  }

  #report(secondsLeft: number): void {
    const { plan, onProgress } = this.#options;
    onProgress?.({
      step: this.#session.steps,
      steps: plan.steps,
      loss: this.#losses.reduce((sum, loss) => sum + loss, 0) / this.#losses.length,
      validation: this.#validations.at(-1),
      secondsLeft,
    });
  }

  async #save(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    const saved: Checkpoint = {
      run: checkpoint.run,
      state: this.#session.snapshot(),
      bestWeights: this.#bestWeights,
      validations: this.#validations,
    };
    await saveCheckpoint(checkpoint.path, saved);
  }

  async #resume(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint?.resume) return;
    const saved = await loadCheckpoint(checkpoint.path, checkpoint.run);
    this.#session.restore(saved.state);
    this.#bestWeights = saved.bestWeights;
    this.#validations.push(...saved.validations);
  }
}

/** Magnitudes [n,y,x] of what a network gives: images [n,2,y,x], or coil images [n,coil,y,x,2]. */
function outputMagnitudes(output: Float32Array, gives: Network['gives'], shape: readonly number[]): Float32Array {
  const [count, ...matrix] = shape;
  const magnitudes = new Float32Array(points(shape));
  const [floats, pixels] = [output.length / count, points(matrix)];
  for (let i = 0; i < count; i++) {
    const part = output.subarray(i * floats, (i + 1) * floats);
    const image =
      gives === 'coils' ? coilMagnitude(part, floats / (2 * pixels)) : magnitude(fromPlanes(part, matrix)).data;
    magnitudes.set(image, i * pixels);
  }
  return magnitudes;
}

function learningRate(
  { schedule, steps, optimiser: { learningRate: rate = 1e-3 } }: TrainingPlan,
  step: number,
): number {
  return schedule === 'cosine' ? (rate / 2) * (1 + Math.cos((Math.PI * step) / steps)) : rate;
}
