// Adam over a network's parameters, in the memory where they are trained.
import { LarmorError } from '../errors.js';
import type { ParameterSpec } from '../networks/network.js';
import type { ParameterStore } from '../networks/parameters.js';
import { expectLength } from '../runtime/flat-layout.js';
import type { AdamStores, Memory, TensorStore } from '../runtime/memory.js';

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
export class Adam implements AdamStores {
  /** Where everything that training changes lies. */
  readonly memory: Memory;
  readonly specs: readonly ParameterSpec[];
  readonly weights: TensorStore;
  readonly gradients: TensorStore;
  readonly firstMoments: TensorStore;
  readonly secondMoments: TensorStore;
  /** Steps made. */
  steps = 0;
  readonly #trained: readonly string[];
  readonly #options: Required<{ [K in keyof AdamOptions]: number }>;

  /**
   * Copies `weights` into the memory and updates the parameters `trained` there; the others stay.
   *
   * @throws LarmorError `ERR_ARGUMENT` for a rate, momentum or epsilon outside its range; `ERR_OUT_OF_MEMORY`.
   */
  constructor(memory: Memory, weights: ParameterStore, trained: readonly ParameterSpec[], options: AdamOptions) {
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    this.#options = { learningRate: checkedRate(learningRate), beta1, beta2, epsilon };
    for (const [name, value] of Object.entries({ beta1, beta2 }))
      if (!(value >= 0 && value < 1)) fail(name, 'in [0, 1)', value);
    if (!(epsilon > 0)) fail('epsilon', 'positive', epsilon);
    const store = (): TensorStore => memory.store(weights.layout);
    this.memory = memory;
    this.specs = weights.specs;
    [this.weights, this.gradients, this.firstMoments, this.secondMoments] = [store(), store(), store(), store()];
    this.weights.set(weights.data);
    this.#trained = trained.map(({ name }) => name);
  }

  /**
   * One update from `gradients`.
   *
   * @throws LarmorError `ERR_DIVERGED`, with nothing changed, when a gradient is not finite.
   */
  async step(learningRate = this.#options.learningRate): Promise<void> {
    const update = { ...this.#options, learningRate: checkedRate(learningRate), step: this.steps + 1 };
    await this.memory.adam(this, this.#trained, update);
    this.steps += 1;
  }

  /** A copy of weights and moments. */
  async snapshot(): Promise<TrainingState> {
    const { steps, weights, firstMoments, secondMoments } = this;
    return {
      steps,
      weights: await weights.read(),
      firstMoments: await firstMoments.read(),
      secondMoments: await secondMoments.read(),
    };
  }

  /** Goes back to a snapshot of the same network. @throws LarmorError `ERR_SHAPE` for another network's. */
  restore({ steps, weights, firstMoments, secondMoments }: TrainingState): void {
    for (const part of [weights, firstMoments, secondMoments]) expectLength(this.weights.layout, part);
    this.weights.set(weights);
    this.firstMoments.set(firstMoments);
    this.secondMoments.set(secondMoments);
    this.steps = steps;
  }

  /** Starts anew from `weights`. @throws LarmorError `ERR_SHAPE` for another network's. */
  load({ data }: Pick<ParameterStore, 'data'>): void {
    this.weights.set(data);
    const zeros = new Float32Array(data.length);
    this.firstMoments.set(zeros);
    this.secondMoments.set(zeros);
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
