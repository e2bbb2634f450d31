// One training under way: schedule, validation, early stop, checkpoints.
import { LarmorError } from '../errors.js';
import type { MaskKind } from '../networks/graph-inputs.js';
import { ParameterStore } from '../networks/parameters.js';
import type { Draw } from './batches.js';
import type { Validation } from './checkpoint.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { stack, type TrainingSample } from './dataset.js';
import type { Learner } from './learner.js';
import { learningRateFactor } from './learning-rate.js';
import { MetricsLog } from './metrics-log.js';
import type { Batch, Objective } from './objective.js';
import type { TrainingResult, TrainOptions } from './plan.js';
import { Prefetch } from './prefetch.js';
import { stoppedError } from './stopped.js';
import { batchesAhead, upcomingBatches } from './upcoming.js';
import { validate } from './validate.js';

/** Steps over which the reported loss is averaged. */
const AVERAGE = 20;

/** Layout of masks that holds those of all data. */
export function maskKind({ training, validation }: Pick<TrainOptions, 'training' | 'validation'>): MaskKind {
  return training.maskKind === 'points' || validation?.maskKind === 'points' ? 'points' : 'lines';
}

/** One run of `train`. */
export class TrainingRun {
  readonly #options: TrainOptions;
  readonly #learner: Learner;
  readonly #objective: Objective;
  readonly #validations: Validation[] = [];
  readonly #losses: number[] = [];
  #metrics: MetricsLog | undefined;
  readonly #checkpoints: CheckpointKeeper;
  #bestWeights: Float32Array;

  constructor(options: TrainOptions, learner: Learner, objective: Objective, weights: Float32Array) {
    this.#options = options;
    this.#learner = learner;
    this.#objective = objective;
    this.#checkpoints = new CheckpointKeeper(options.checkpoint);
    this.#bestWeights = weights;
  }

  get #steps(): number {
    return this.#learner.adam.steps;
  }

  async finish(): Promise<TrainingResult> {
    const { plan, metrics } = this.#options;
    await this.#resume();
    if (metrics !== undefined) this.#metrics = await MetricsLog.open(metrics, this.#steps);
    try {
      await this.#train();
    } catch (error) {
      throw await this.#stopped(error);
    }
    await this.#metrics?.flush();
    return this.#result(this.#steps < plan.steps ? 'patience' : 'steps');
  }

  async #train(): Promise<void> {
    const { plan, signal } = this.#options;
    const first = this.#steps;
    const inputs = await this.#objective.inputs(this.#options.training.shape(0));
    const upcoming = upcomingBatches(this.#options, first);
    await using batches = new Prefetch(
      (ended) => this.#batch(upcoming.next().value, inputs, ended),
      batchesAhead(this.#options),
      signal,
    );
    await this.#validateIfDue();
    const started = performance.now();
    while (this.#steps < plan.steps && !this.#outOfPatience()) {
      await this.#step(batches);
      await this.#validateIfDue();
      if (this.#checkpoints.isDue(this.#steps)) await this.#save();
      const seconds = (performance.now() - started) / 1000;
      this.#report((seconds / (this.#steps - first)) * (plan.steps - this.#steps));
    }
  }

  async #step(batches: Prefetch<Batch>): Promise<void> {
    const { plan, signal } = this.#options;
    const { accumulate = 1 } = plan;
    const { learningRate: fullRate = 1e-3 } = plan.optimiser;
    const step = this.#steps;
    let mean = 0;
    for (let i = 0; i < accumulate; i++) {
      const loss = await this.#objective.differentiate(await batches.next(), { signal });
      await this.#learner.collect(i);
      mean += loss / accumulate;
    }
    const schedule = typeof plan.schedule === 'string' ? { kind: plan.schedule } : plan.schedule;
    const learningRate = fullRate * learningRateFactor(schedule, step, plan.steps, this.#validations);
    const gradientNorm = await this.#learner.update(learningRate);
    this.#losses.push(mean);
    if (this.#losses.length > AVERAGE) this.#losses.shift();
    await this.#metrics?.record({ step: step + 1, loss: mean, learningRate, gradientNorm });
  }

  async #batch(draws: readonly Draw[], inputs: readonly string[], signal: AbortSignal): Promise<Batch> {
    const { training, threads } = this.#options;
    const run = { threads, signal, masks: maskKind(this.#options) };
    const samples: TrainingSample[] = [];
    for (const { index, draw } of draws) samples.push(await training.sample(index, draw, inputs, run));
    return { shape: training.shape(draws[0].index), data: stack(samples) };
  }

  async #validateIfDue(): Promise<void> {
    const { plan } = this.#options;
    const step = this.#steps;
    const due = step > 0 && (step % plan.validateEvery === 0 || step === plan.steps);
    if (due && this.#validations.at(-1)?.step !== step) await this.#validate();
  }

  async #validate(): Promise<void> {
    const { validation: dataset, plan, network, pictures = 0, threads, signal, onValidation } = this.#options;
    if (!dataset) return;
    const objective = this.#objective;
    const masks = maskKind(this.#options);
    const run = { dataset, network, objective, batch: plan.batch, masks, pictures, threads, signal };
    const { figures, pictures: drawn } = await this.#learner.withJudged(() => validate(run));
    const best = Math.min(...this.#validations.map(({ loss }) => loss));
    if (figures.loss < best) this.#bestWeights = await this.#learner.judged.read();
    const validation = { step: this.#steps, ...figures };
    this.#validations.push(validation);
    await this.#metrics?.record({ step: this.#steps, validation: figures });
    await this.#metrics?.flush();
    await onValidation?.(validation, drawn);
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
      step: this.#steps,
      steps: plan.steps,
      loss: this.#losses.reduce((sum, loss) => sum + loss, 0) / this.#losses.length,
      validation: this.#validations.at(-1),
      secondsLeft,
    });
  }

  async #result(stop: TrainingResult['stop']): Promise<TrainingResult> {
    const values = this.#validations.length > 0 ? this.#bestWeights : await this.#learner.judged.read();
    const weights = ParameterStore.fromFlat(this.#options.network.parameters, values);
    return { weights, steps: this.#steps, stop, validations: this.#validations };
  }

  /**
   * Keeps what can be kept after `error` has stopped the run, and returns what to throw. Steps happen whole or not at all, so that the state is
   * always one to go on from.
   */
  async #stopped(error: unknown): Promise<unknown> {
    const { signal, onDiverged } = this.#options;
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<void> | undefined): Promise<void> => {
      try {
        await work();
      } catch (failure) {
        failures.push(failure);
      }
    };
    const diverged = error instanceof LarmorError && error.code === 'ERR_DIVERGED';
    // Diverged weights are finite still, but no good: an earlier checkpoint is worth more.
    if (this.#steps > 0 && (!diverged || this.#checkpoints.step === undefined)) await attempt(() => this.#save());
    await attempt(() => this.#metrics?.flush());
    if (diverged) await attempt(async () => onDiverged?.(await this.#result('diverged')));
    const { kept } = this.#checkpoints;
    return stoppedError(error, { steps: this.#steps, aborted: signal?.aborted === true, failures, kept });
  }

  async #save(): Promise<void> {
    if (!this.#options.checkpoint) return;
    // Lines first: a checkpoint promises that all lines up to its step are in the file.
    await this.#metrics?.flush();
    await this.#checkpoints.save({
      state: await this.#learner.snapshot(),
      bestWeights: this.#bestWeights,
      validations: this.#validations,
    });
  }

  async #resume(): Promise<void> {
    const saved = await this.#checkpoints.load();
    if (!saved) return;
    this.#learner.restore(saved.state);
    this.#bestWeights = saved.bestWeights;
    this.#validations.push(...saved.validations);
  }
}
