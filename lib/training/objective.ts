// What training lowers: the loss of the weights as they are, or of weights adapted to the slice first.
import type { RunOptions } from '../jobs.js';
import type { TensorStore } from '../runtime/memory.js';
import type { Adam } from './adam.js';
import type { TrainingSample } from './dataset.js';
import type { Evaluation, TrainingSession } from './session.js';
import type { SessionPool } from './session-pool.js';
import type { SliceShape } from './sources.js';

/** The data of one batch, all slices of one size. */
export interface Batch {
  readonly shape: SliceShape;
  readonly data: TrainingSample;
}

/** A loss of the weights in an `Adam`. */
export interface Objective {
  /** Names of the data that a batch of this shape must have. */
  inputs(shape: SliceShape): Promise<readonly string[]>;
  /** The loss of the batch; its gradients stand in the `Adam` after. Throws as `TrainingSession.differentiate`. */
  differentiate(batch: Batch, options: Pick<RunOptions, 'signal'>): Promise<number>;
  /** The loss and the network's output. Throws as `TrainingSession.evaluate`. */
  evaluate(batch: Batch, options: Pick<RunOptions, 'signal'>): Promise<Evaluation>;
}

/** The loss of the weights as they are. */
export class PlainObjective implements Objective {
  readonly #sessions: SessionPool;

  constructor(sessions: SessionPool) {
    this.#sessions = sessions;
  }

  async inputs(shape: SliceShape): Promise<readonly string[]> {
    return (await this.#sessions.get(shape)).inputs;
  }

  async differentiate(batch: Batch, options: Pick<RunOptions, 'signal'>): Promise<number> {
    return (await (await this.#holding(batch)).differentiate(options)).loss;
  }

  async evaluate(batch: Batch, options: Pick<RunOptions, 'signal'>): Promise<Evaluation> {
    return (await this.#holding(batch)).evaluate(options);
  }

  async #holding({ shape, data }: Batch): Promise<TrainingSession> {
    const session = await this.#sessions.get(shape);
    session.set(Object.fromEntries(session.inputs.map((name) => [name, data[name]])));
    return session;
  }
}

/** How starting weights are found that adapt well. */
export interface MetaOptions {
  /** Steps of plain gradient descent on the misfit to the measured samples, before the loss is looked at. */
  readonly innerSteps: number;
  readonly innerLearningRate: number;
  /** `first`: the gradient at the adapted weights stands for that at the starting weights. */
  readonly order: 'first';
  /** What the adapted weights are judged by: the samples that were not measured (l1, relative), or the plan's loss. Default: `complement`. */
  readonly outer?: 'complement' | 'loss' | undefined;
}

/** Where the outer loss looks at the unmeasured samples: what it takes of the batch in place of the samples themselves. */
const COMPLEMENT: Readonly<Record<string, string>> = { kspace: 'completedKspace', lossMask: 'complementMask' };

/**
 * The loss of weights that have been adapted to the batch: starting weights that lower it adapt well.
 *
 * @see Finn, Abbeel, Levine, Model-agnostic meta-learning for fast adaptation of deep networks, ICML 2017 (first-order variant).
 */
export class MetaObjective implements Objective {
  readonly #inner: PlainObjective;
  readonly #outer: PlainObjective;
  readonly #adam: Adam;
  readonly #options: MetaOptions;
  readonly #start: TensorStore;

  /** @param inner The misfit to the measured samples. @param outer The loss of adapted weights. Both of the weights of `adam`. */
  constructor(inner: PlainObjective, outer: PlainObjective, adam: Adam, options: MetaOptions) {
    this.#inner = inner;
    this.#outer = outer;
    this.#adam = adam;
    this.#options = options;
    this.#start = adam.memory.store(adam.weights.layout);
  }

  async inputs(shape: SliceShape): Promise<readonly string[]> {
    const outer = (await this.#outer.inputs(shape)).map((name) => this.#outerName(name));
    return [...new Set([...(await this.#inner.inputs(shape)), ...outer])];
  }

  differentiate(batch: Batch, options: Pick<RunOptions, 'signal'>): Promise<number> {
    return this.#adapted(batch, options, async (outer) => this.#outer.differentiate(outer, options));
  }

  evaluate(batch: Batch, options: Pick<RunOptions, 'signal'>): Promise<Evaluation> {
    return this.#adapted(batch, options, async (outer) => this.#outer.evaluate(outer, options));
  }

  /** Runs `work` at the adapted weights; the starting weights come back whatever happens. */
  async #adapted<T>(batch: Batch, options: Pick<RunOptions, 'signal'>, work: (outer: Batch) => Promise<T>): Promise<T> {
    const { memory, weights, gradients } = this.#adam;
    await memory.copy(this.#start, weights);
    try {
      for (let i = 0; i < this.#options.innerSteps; i++) {
        await this.#inner.differentiate(batch, options);
        await memory.blend(1, weights, -this.#options.innerLearningRate, gradients);
      }
      const names = await this.#outer.inputs(batch.shape);
      const data = Object.fromEntries(names.map((name) => [name, batch.data[this.#outerName(name)]]));
      return await work({ shape: batch.shape, data });
    } finally {
      await memory.copy(weights, this.#start);
    }
  }

  #outerName(name: string): string {
    return (this.#options.outer ?? 'complement') === 'complement' ? (COMPLEMENT[name] ?? name) : name;
  }
}
