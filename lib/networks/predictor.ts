// Runs a network on measurements of one size.
import type { Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import { graphToOnnx } from '../graph/onnx.js';
import type { Value } from '../graph/types.js';
import { graphForDevice } from '../graph/webgpu.js';
import type { RunOptions } from '../jobs.js';
import { FlatLayout } from '../runtime/flat-layout.js';
import type { LoadOptions, Memory, TensorStore } from '../runtime/memory.js';
import type { Binding, Session } from '../runtime/session.js';
import { GraphInputs, type MeasurementShapes } from './graph-inputs.js';
import type { Network } from './network.js';
import { openMemory, type Placement } from './open-memory.js';
import type { ParameterStore } from './parameters.js';

/** What `createPredictor` loads. */
export interface PredictorOptions extends Placement, Omit<LoadOptions, 'threads' | 'replay'>, MeasurementShapes {
  readonly network: Network;
  /** Not copied on the CPU: to stay as they are as long as the predictor is in use. */
  readonly weights: ParameterStore;
}

/**
 * Loads a network for measurements of one size.
 *
 * @throws LarmorError `ERR_SHAPE` when the images are too small for the network; `ERR_ARGUMENT` when it needs the number of coils and
 *   none is given; `ERR_RUNTIME_MISSING`, `ERR_DEVICE`, `ERR_OUT_OF_MEMORY`; signal.reason when aborted.
 * @example
 * using predictor = await createPredictor({ network, weights, coils: 15, height: 320, width: 320 });
 * const image = await predictor.predict({ image: zeroFilled, maps, mask });
 */
export async function createPredictor({
  network,
  weights,
  batch,
  coils,
  height,
  width,
  mask,
  ...placement
}: PredictorOptions): Promise<Predictor> {
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const inputs = new GraphInputs(graph, network, { batch, coils, height, width, mask });
  const { image, coils: predicted } = network.reconstruct(inputs, (name) => parameters.get(name) as Value);
  const output = predicted ? predicted.images : image;
  graph.output('output', output);
  const memory = await openMemory('createPredictor', placement);
  try {
    const session = await memory.load(graphToOnnx(graphForDevice(graph, memory.device)), placement);
    const stored = (shapes: Readonly<Record<string, Shape>>): TensorStore =>
      memory.store(new FlatLayout(Object.entries(shapes).map(([name, shape]) => ({ name, shape }))));
    return new Predictor(memory, session, weights, stored(inputs.shapes), stored({ output: output.shape }));
  } catch (error) {
    await memory.close();
    throw error;
  }
}

/** A network loaded for measurements of one size. Close it when done: its memory is invisible to the garbage collector. */
export class Predictor {
  readonly #memory: Memory;
  readonly #session: Session;
  readonly #binding: Binding;
  readonly #inputs: TensorStore;
  readonly #output: TensorStore;
  /** Closing waits for it. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** Use `createPredictor`. */
  constructor(memory: Memory, session: Session, weights: ParameterStore, inputs: TensorStore, output: TensorStore) {
    this.#memory = memory;
    this.#session = session;
    this.#inputs = inputs;
    this.#output = output;
    const parameters = memory.constants(weights.layout, weights.data);
    const bound = [
      ...weights.specs.map(({ name }) => [name, parameters.bound(name)]),
      ...this.inputs.map((name) => [name, inputs.bound(name)]),
    ];
    this.#binding = session.bind(Object.fromEntries(bound), { output: output.bound('output') });
  }

  /** Names of the inputs that the network needs. */
  get inputs(): readonly string[] {
    return this.#inputs.layout.specs.map(({ name }) => name);
  }

  /**
   * What the network makes of a measurement: the image [n,outChannels,y,x], or of a network that `gives` coils the image of every coil
   * [n,coil,y,x,2]. One call at a time.
   *
   * Shapes, of those that `inputs` lists: image [n,inChannels,y,x], maps and kspace [n,coil,y,x,2], mask and calibrationMask [n,1,x] or
   * [n,y,x] of 0 and 1. Others are not read.
   *
   * @throws LarmorError `ERR_ARGUMENT` when an input is missing; `ERR_SHAPE`, `ERR_CLOSED`; signal.reason when aborted.
   */
  async predict(
    data: Readonly<Record<string, Float32Array>>,
    { signal }: Pick<RunOptions, 'signal'> = {},
  ): Promise<Float32Array> {
    for (const name of this.inputs) {
      if (!Object.hasOwn(data, name))
        throw new LarmorError(
          'ERR_ARGUMENT',
          `Predictor: this network needs ${this.inputs.join(', ')}; got no ${name}`,
        );
      this.#inputs.set(data[name], name);
    }
    if (this.#closed) throw new LarmorError('ERR_CLOSED', 'Predictor: closed; create a new one');
    const output = this.#run(signal);
    this.#last = output.catch(() => undefined);
    return await output;
  }

  async #run(signal: AbortSignal | undefined): Promise<Float32Array> {
    await this.#memory.flush();
    await this.#binding.run({ signal });
    return await this.#output.read('output');
  }

  /** Frees the network, once a prediction under way is made; closing twice does nothing. Need not be awaited. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    await this.#session.close();
    await this.#memory.close();
  }

  [Symbol.dispose](): void {
    void this.close();
  }
}
