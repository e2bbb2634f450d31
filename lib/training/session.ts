// Training steps on data that stay in place: one run of a graph yields losses and gradients, one fused pass updates the weights.
import type { Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { ParameterStore } from '../networks/parameters.js';
import type { NamedTensors } from '../runtime/bound-tensors.js';
import { FlatLayout } from '../runtime/flat-layout.js';
import type { TensorStore } from '../runtime/memory.js';
import type { Binding, Session } from '../runtime/session.js';
import { type Adam, diverged, type TrainingState } from './adam.js';
import { gradientName, type TrainingGraphs } from './graph.js';

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

/** A network in training. Close it when done: its memory is invisible to the garbage collector. */
export class TrainingSession {
  /** The weights in training and what changes them. */
  readonly adam: Adam;
  readonly #stepSession: Session;
  readonly #loadForward: () => Promise<Session>;
  readonly #owned: boolean;
  readonly #data: TensorStore;
  readonly #output: TensorStore;
  readonly #losses: TensorStore;
  readonly #step: Binding;
  /** Inputs of the forward graph, which needs nothing of penalties. */
  readonly #ofForward: ReadonlySet<string>;
  #forward: Promise<{ session: Session; binding: Binding }> | undefined;
  #closed = false;

  /** Use `createTrainingSession`. */
  constructor(
    graphs: TrainingGraphs,
    adam: Adam,
    stepSession: Session,
    loadForward: () => Promise<Session>,
    owned: boolean,
  ) {
    const stored = (shapes: readonly (readonly [string, Shape])[]): TensorStore =>
      adam.memory.store(new FlatLayout(shapes.map(([name, shape]) => ({ name, shape }))));
    this.adam = adam;
    this.#owned = owned;
    this.#stepSession = stepSession;
    this.#loadForward = loadForward;
    this.#data = stored(Object.entries(graphs.dataShapes));
    this.#ofForward = new Set(graphs.forward.inputs.map(({ name }) => name));
    const { output, ...losses } = Object.fromEntries(graphs.forward.outputs);
    this.#output = stored([['output', output.shape]]);
    this.#losses = stored(Object.entries(losses).map(([name, { shape }]) => [name, shape]));
    const gradients = graphs.trained.map(({ name }) => [gradientName(name), adam.gradients.bound(name)]);
    this.#step = stepSession.bind(this.#inputs(), { ...this.#results(), ...Object.fromEntries(gradients) });
  }

  /** A copy of the weights in training. */
  async weights(): Promise<ParameterStore> {
    return ParameterStore.fromFlat(this.adam.specs, await this.adam.weights.read());
  }

  /** A copy of dloss/dweights of the last step; zeros for frozen parameters. */
  async gradients(): Promise<ParameterStore> {
    return ParameterStore.fromFlat(this.adam.specs, await this.adam.gradients.read());
  }

  /** Names of the data that network and loss need. */
  get inputs(): readonly string[] {
    return this.#data.layout.specs.map(({ name }) => name);
  }

  /** Steps made since the weights were last loaded. */
  get steps(): number {
    return this.adam.steps;
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
      if (!this.inputs.includes(name))
        throw new LarmorError(
          'ERR_ARGUMENT',
          `TrainingSession: no input is called ${name}; the inputs are ${this.inputs.join(', ')}`,
        );
      this.#data.set(values, name);
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
      await this.adam.step(learningRate);
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
      await this.adam.memory.flush();
      await this.#step.run({ signal });
    } catch (error) {
      if (error instanceof LarmorError && error.code === 'ERR_DIVERGED')
        throw diverged(this.steps + 1, 'the data consistency has no finite solution', error);
      throw error;
    }
    const losses = await this.#readLosses();
    if (!Number.isFinite(losses.loss)) throw diverged(this.steps + 1, `the loss is ${losses.loss}`);
    return losses;
  }

  /** Losses and output of the present weights. @throws LarmorError `ERR_CLOSED`; signal.reason when aborted. */
  async evaluate({ signal }: Pick<RunOptions, 'signal'> = {}): Promise<Evaluation> {
    if (this.#closed) throw new LarmorError('ERR_CLOSED', 'TrainingSession: closed; create a new one');
    this.#forward ??= this.#bindForward();
    const { binding } = await this.#forward;
    await this.adam.memory.flush();
    await binding.run({ signal });
    return { ...(await this.#readLosses()), output: await this.#output.read('output') };
  }

  /** The network's output with the present weights, as `evaluate` gives it. */
  async predict(options: Pick<RunOptions, 'signal'> = {}): Promise<Float32Array> {
    return (await this.evaluate(options)).output;
  }

  /** A copy of weights and optimiser. */
  snapshot(): Promise<TrainingState> {
    return this.adam.snapshot();
  }

  /** Goes back to a snapshot of a session of the same network. @throws LarmorError `ERR_SHAPE` for another network's. */
  restore(state: TrainingState): void {
    this.adam.restore(state);
  }

  /** Starts anew from `weights`, with a fresh optimiser. @throws LarmorError `ERR_SHAPE` for another network's. */
  load(weights: ParameterStore): void {
    this.adam.load(weights);
  }

  /** Frees the graphs; a run under way ends first. Closing twice does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#stepSession.close();
    await (await this.#forward?.catch(() => undefined))?.session.close();
    if (this.#owned) await this.adam.memory.close();
    for (const store of [this.#data, this.#output, this.#losses]) store.free();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #inputs(): NamedTensors {
    return boundTensorsOf([this.adam.weights, this.#data]);
  }

  #results(): NamedTensors {
    return boundTensorsOf([this.#output, this.#losses]);
  }

  async #bindForward(): Promise<{ session: Session; binding: Binding }> {
    try {
      const session = await this.#loadForward();
      const inputs = Object.entries(this.#inputs()).filter(([name]) => this.#ofForward.has(name));
      return { session, binding: session.bind(Object.fromEntries(inputs), this.#results()) };
    } catch (error) {
      this.#forward = undefined;
      throw error;
    }
  }

  async #readLosses(): Promise<Losses> {
    const names = this.#losses.layout.specs.map(({ name }) => name);
    const read = async (name: string): Promise<number> => (await this.#losses.read(name))[0];
    const loss = await read('loss');
    return { loss, heldOutLoss: names.includes('heldOutLoss') ? await read('heldOutLoss') : undefined };
  }
}

function boundTensorsOf(stores: readonly TensorStore[]): NamedTensors {
  const bound = stores.flatMap((store) => store.layout.specs.map(({ name }) => [name, store.bound(name)]));
  return Object.fromEntries(bound);
}
