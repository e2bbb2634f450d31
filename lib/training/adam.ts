// Adam over a network's parameters, as one fused pass over their memory.
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { runJob } from '../jobs.js';
import type { ParameterSpec } from '../networks/network.js';
import { ParameterStore } from '../networks/parameters.js';

/** Settings of Adam; the defaults are those of its authors, at a learning rate of 1e-3. */
export interface AdamOptions {
  /** Default 1e-3. */
  readonly learningRate?: number | undefined;
  /** Default 0.9. */
  readonly beta1?: number | undefined;
  /** Default 0.999. */
  readonly beta2?: number | undefined;
  /** Default 1e-8. */
  readonly epsilon?: number | undefined;
}

/** Everything that training changes, copied. */
export interface TrainingState {
  readonly steps: number;
  readonly weights: Float32Array;
  readonly firstMoments: Float32Array;
  readonly secondMoments: Float32Array;
}

/** The error of a step that left the finite numbers. */
export function diverged(step: number, why: string, cause?: unknown): LarmorError {
  const message = `training diverged at step ${step}: ${why}. Lower the learning rate or check the data's scale.`;
  return new LarmorError('ERR_DIVERGED', message, { cause });
}

/**
 * Adam as PyTorch rounds it.
 *
 * @see Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015.
 */
export class Adam {
  readonly weights: ParameterStore;
  readonly gradients: ParameterStore;
  readonly firstMoments: ParameterStore;
  readonly secondMoments: ParameterStore;
  /** Steps made. */
  steps = 0;
  readonly #ranges: Uint32Array;
  readonly #options: Required<{ [K in keyof AdamOptions]: number }>;
  readonly #threads: number;

  /**
   * Updates the parameters `trained` of `weights` in place; the others stay.
   *
   * @throws LarmorError `ERR_ARGUMENT` for a rate, momentum or epsilon outside its range.
   */
  constructor(weights: ParameterStore, trained: readonly ParameterSpec[], options: AdamOptions, threads: number) {
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    this.#options = { learningRate: checkedRate(learningRate), beta1, beta2, epsilon };
    for (const [name, value] of Object.entries({ beta1, beta2 }))
      if (!(value >= 0 && value < 1)) fail(name, 'in [0, 1)', value);
    if (!(epsilon > 0)) fail('epsilon', 'positive', epsilon);
    this.weights = weights;
    this.gradients = new ParameterStore(weights.specs);
    this.firstMoments = new ParameterStore(weights.specs);
    this.secondMoments = new ParameterStore(weights.specs);
    this.#ranges = Uint32Array.from(trained.flatMap(({ name }) => [...weights.range(name)]));
    this.#threads = threads;
  }

  /**
   * One update from `gradients`.
   *
   * @throws LarmorError `ERR_DIVERGED`, with nothing changed, when a gradient is not finite.
   */
  async step(learningRate = this.#options.learningRate): Promise<void> {
    const { beta1, beta2, epsilon } = this.#options;
    const rate = checkedRate(learningRate);
    await runJob(1, {}, (control) =>
      binding.adamStep(
        control,
        this.weights.data,
        this.gradients.data,
        this.firstMoments.data,
        this.secondMoments.data,
        this.#ranges,
        this.steps + 1,
        rate,
        beta1,
        beta2,
        epsilon,
        this.#threads,
      ),
    );
    this.steps += 1;
  }

  /** A copy of weights and moments. */
  snapshot(): TrainingState {
    const { steps, weights, firstMoments, secondMoments } = this;
    return {
      steps,
      weights: weights.data.slice(),
      firstMoments: firstMoments.data.slice(),
      secondMoments: secondMoments.data.slice(),
    };
  }

  /** Goes back to a snapshot of the same network. @throws LarmorError `ERR_SHAPE` for another network's. */
  restore({ steps, weights, firstMoments, secondMoments }: TrainingState): void {
    for (const part of [weights, firstMoments, secondMoments]) this.#expectFits(part);
    this.weights.data.set(weights);
    this.firstMoments.data.set(firstMoments);
    this.secondMoments.data.set(secondMoments);
    this.steps = steps;
  }

  /** Starts anew from `weights`. @throws LarmorError `ERR_SHAPE` for another network's. */
  load({ data }: ParameterStore): void {
    this.#expectFits(data);
    this.weights.data.set(data);
    this.reset();
  }

  #expectFits({ length }: Float32Array): void {
    const want = this.weights.data.length;
    if (length !== want)
      throw new LarmorError('ERR_SHAPE', `training: this network's state holds ${want} values, got ${length}`);
  }

  /** Forgets the moments: the next step is the first. */
  reset(): void {
    this.firstMoments.data.fill(0);
    this.secondMoments.data.fill(0);
    this.steps = 0;
  }
}

function checkedRate(learningRate: number): number {
  return learningRate >= 0 && Number.isFinite(learningRate)
    ? learningRate
    : fail('learningRate', '0 or more', learningRate);
}

function fail(name: string, want: string, got: number): never {
  throw new LarmorError('ERR_ARGUMENT', `Adam: ${name} must be ${want}, got ${got}`);
}
