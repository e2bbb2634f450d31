// Training steps on data that stay in place: one run of a graph yields losses and gradients, one fused pass updates the weights.
import { formatShape, points } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { graphToOnnx } from '../graph/onnx.js';
import type { RunOptions } from '../jobs.js';
import type { ParameterStore } from '../networks/parameters.js';
import { type Binding, createSession, type NamedTensors, type Session } from '../runtime/session.js';
import { type Tensor, tensor } from '../runtime/tensor.js';
import { Adam, type AdamOptions, diverged, type TrainingState } from './adam.js';
import {
  buildTrainingGraphs,
  gradientName,
  type TrainingGraphOptions,
  type TrainingGraphs,
  trainedParameters,
} from './graph.js';

/** What `createTrainingSession` loads. */
export interface TrainingSessionOptions extends TrainingGraphOptions {
  /** Where training starts; copied. */
  readonly weights: ParameterStore;
  readonly optimiser?: AdamOptions | undefined;
  /** Default: the processors this process may run on. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Losses of the weights before a step's update. */
export interface Losses {
  readonly loss: number;
  /** Misfit of the held-out samples; undefined when the loss has no self-supervised term. */
  readonly heldOutLoss: number | undefined;
}

/** Losses of the present weights, and what the network makes of the data with them. */
export interface Evaluation extends Losses {
  /** The network's output, a copy: [n,channels,y,x], or [n,coil,y,x,2] of a network that gives coils. */
  readonly output: Float32Array;
}

/** What one step may do differently. */
export interface StepOptions {
  /** For this step only. Default: that of `optimiser`. */
  readonly learningRate?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads a network with its loss for training.
 *
 * Memory: weights four times (weights, gradients, two moments), the data once, and the activations of one step while it runs.
 *
 * @throws LarmorError `ERR_ARGUMENT`, `ERR_SHAPE`; `ERR_RUNTIME_MISSING`, `ERR_OUT_OF_MEMORY`; signal.reason when aborted.
 * @example
 * await using session = await createTrainingSession({ network, weights, loss: LOSSES.self, shapes });
 * session.set({ image, maps, lossMask, heldOutMask, kspace });
 * for (let i = 0; i < 100; i++) await session.step();
 * const image = await session.predict();
 */
export async function createTrainingSession(options: TrainingSessionOptions): Promise<TrainingSession> {
  const { weights, optimiser = {}, threads = binding.platform().threads } = options;
  const adam = new Adam(weights.clone(), trainedParameters(options.network, options.trainable), optimiser, threads);
  return openTrainingSession(adam, options);
}

/**
 * A session that trains the weights of an optimiser, which other sessions of the same network may share: one for every size of data, or for
 * every loss. Sharing sessions take turns. Throws as `createTrainingSession`.
 */
export async function openTrainingSession(
  adam: Adam,
  options: TrainingGraphOptions & Pick<TrainingSessionOptions, 'threads' | 'signal'>,
): Promise<TrainingSession> {
  const { threads = binding.platform().threads, signal } = options;
  const graphs = buildTrainingGraphs(options);
  const session = await createSession(graphToOnnx(graphs.step), { threads, signal });
  return new TrainingSession(graphs, adam, session, () => createSession(graphToOnnx(graphs.forward), { threads }));
}

/** A network in training. Close it when done: its memory is invisible to the garbage collector. */
export class TrainingSession {
  readonly #adam: Adam;
  readonly #stepSession: Session;
  readonly #loadForward: () => Promise<Session>;
  readonly #data: Readonly<Record<string, Tensor<'float32'>>>;
  readonly #results: Readonly<Record<string, Tensor<'float32'>>>;
  readonly #step: Binding;
  /** Inputs of the forward graph, which needs nothing of penalties. */
  readonly #ofForward: ReadonlySet<string>;
  #forward: Promise<{ session: Session; binding: Binding }> | undefined;
  #closed = false;

  /** Use `createTrainingSession`. */
  constructor(graphs: TrainingGraphs, adam: Adam, stepSession: Session, loadForward: () => Promise<Session>) {
    const zeros = (shape: readonly number[]): Tensor<'float32'> => tensor('float32', shape);
    this.#adam = adam;
    this.#stepSession = stepSession;
    this.#loadForward = loadForward;
    this.#data = mapValues(graphs.dataShapes, zeros);
    this.#ofForward = new Set(graphs.forward.inputs.map(({ name }) => name));
    this.#results = Object.fromEntries([...graphs.forward.outputs].map(([name, { shape }]) => [name, zeros(shape)]));
    const gradients = graphs.trained.map(({ name, shape }) => [
      gradientName(name),
      tensor('float32', shape, adam.gradients.get(name)),
    ]);
    this.#step = stepSession.bind(this.#inputs(), { ...this.#results, ...Object.fromEntries(gradients) });
  }

  /** The weights in training. Writing to them changes the network. */
  get weights(): ParameterStore {
    return this.#adam.weights;
  }

  /** dloss/dweights of the last step; zeros for frozen parameters. */
  get gradients(): ParameterStore {
    return this.#adam.gradients;
  }

  /** Names of the data that network and loss need. */
  get inputs(): readonly string[] {
    return Object.keys(this.#data);
  }

  /** Steps made since the weights were last loaded. */
  get steps(): number {
    return this.#adam.steps;
  }

  /**
   * Copies data in; what is left out keeps its values. Not while a step is under way.
   *
   * Shapes: image and target [n,channels,y,x], targetMagnitude and targetRss [n,1,y,x], the largest value of each of these images
   * targetMagnitudeRange and targetRssRange [n,1,1,1], maps, kspace and targetKspace [n,coil,y,x,2]; mask (what the network sees),
   * calibrationMask, lossMask and heldOutMask (the last two disjoint) [n,1,x] or [n,y,x] of 0 and 1. There are only the `inputs` that
   * network and loss need.
   *
   * @throws LarmorError `ERR_ARGUMENT` for an unknown name; `ERR_SHAPE` for another number of values.
   */
  set(data: Readonly<Record<string, Float32Array>>): void {
    for (const [name, values] of Object.entries(data)) {
      if (!Object.hasOwn(this.#data, name))
        throw new LarmorError(
          'ERR_ARGUMENT',
          `TrainingSession: no input is called ${name}; the inputs are ${Object.keys(this.#data).join(', ')}`,
        );
      const { data: own, shape } = this.#data[name];
      if (values.length !== own.length)
        throw new LarmorError(
          'ERR_SHAPE',
          `TrainingSession: ${name} of shape ${formatShape(shape)} must hold ${points(shape)} values, got ${values.length}`,
        );
      own.set(values);
    }
  }

  /**
   * One training step. Aborting it leaves the weights as they were.
   *
   * @returns The losses before the update.
   * @throws LarmorError `ERR_DIVERGED` with the step's number, weights unchanged, when the loss or a gradient is not finite;
   *   `ERR_CLOSED`; signal.reason when aborted.
   */
  async step({ learningRate, signal }: StepOptions = {}): Promise<Losses> {
    const losses = await this.differentiate({ signal });
    try {
      await this.#adam.step(learningRate);
    } catch (error) {
      if (error instanceof LarmorError && error.code === 'ERR_DIVERGED')
        throw diverged(this.steps + 1, 'a gradient is not finite', error);
      throw error;
    }
    return losses;
  }

  /**
   * Losses and `gradients` of the present weights, which stay.
   *
   * @throws LarmorError `ERR_DIVERGED` with the step's number when the loss, or an image on the way to it, is not finite; `ERR_CLOSED`; signal.reason when aborted.
   */
  async differentiate({ signal }: Pick<RunOptions, 'signal'> = {}): Promise<Losses> {
    try {
      await this.#step.run({ signal });
    } catch (error) {
      if (error instanceof LarmorError && error.code === 'ERR_DIVERGED')
        throw diverged(this.steps + 1, 'the data consistency has no finite solution', error);
      throw error;
    }
    const losses = this.#losses();
    if (!Number.isFinite(losses.loss)) throw diverged(this.steps + 1, `the loss is ${losses.loss}`);
    return losses;
  }

  /** Losses and output of the present weights. @throws LarmorError `ERR_CLOSED`; signal.reason when aborted. */
  async evaluate({ signal }: Pick<RunOptions, 'signal'> = {}): Promise<Evaluation> {
    if (this.#closed) throw new LarmorError('ERR_CLOSED', 'TrainingSession: closed; create a new one');
    this.#forward ??= this.#bindForward();
    await (await this.#forward).binding.run({ signal });
    return { ...this.#losses(), output: this.#results.output.data.slice() };
  }

  /** The network's output with the present weights, as `evaluate` gives it. */
  async predict(options: Pick<RunOptions, 'signal'> = {}): Promise<Float32Array> {
    return (await this.evaluate(options)).output;
  }

  /** A copy of weights and optimiser. */
  snapshot(): TrainingState {
    return this.#adam.snapshot();
  }

  /** Goes back to a snapshot of a session of the same network. @throws LarmorError `ERR_SHAPE` for another network's. */
  restore(state: TrainingState): void {
    this.#adam.restore(state);
  }

  /** Starts anew from `weights`, with a fresh optimiser. @throws LarmorError `ERR_SHAPE` for another network's. */
  load(weights: ParameterStore): void {
    this.#adam.load(weights);
  }

  /** Frees the graphs; a run under way ends first. Closing twice does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stepSession.close();
    (await this.#forward?.catch(() => undefined))?.session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #inputs(): NamedTensors {
    const { weights } = this.#adam;
    const parameters = weights.specs.map(({ name, shape }) => [name, tensor('float32', shape, weights.get(name))]);
    return { ...Object.fromEntries(parameters), ...this.#data };
  }

  async #bindForward(): Promise<{ session: Session; binding: Binding }> {
    try {
      const session = await this.#loadForward();
      const inputs = Object.entries(this.#inputs()).filter(([name]) => this.#ofForward.has(name));
      return { session, binding: session.bind(Object.fromEntries(inputs), this.#results) };
    } catch (error) {
      this.#forward = undefined;
      throw error;
    }
  }

  #losses(): Losses {
    const { loss, heldOutLoss } = this.#results;
    return { loss: loss.data[0], heldOutLoss: heldOutLoss?.data[0] };
  }
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
