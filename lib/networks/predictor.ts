// Runs a network on measurements of one size.
import { formatShape, points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import { graphToOnnx } from '../graph/onnx.js';
import type { Value } from '../graph/types.js';
import type { RunOptions } from '../jobs.js';
import {
  type Binding,
  createSession,
  type NamedTensors,
  type Session,
  type SessionOptions,
} from '../runtime/session.js';
import { type Tensor, tensor } from '../runtime/tensor.js';
import { GraphInputs, type MeasurementShapes } from './graph-inputs.js';
import type { Network } from './network.js';
import type { ParameterStore } from './parameters.js';

/** What `createPredictor` loads. */
export interface PredictorOptions extends Pick<SessionOptions, 'threads' | 'signal' | 'device'>, MeasurementShapes {
  readonly network: Network;
  /** Read at every prediction, not copied. */
  readonly weights: ParameterStore;
}

/**
 * Loads a network for measurements of one size.
 *
 * @throws LarmorError `ERR_SHAPE` when the images are too small for the network; `ERR_ARGUMENT` when it needs the number of coils and
 *   none is given; `ERR_RUNTIME_MISSING`, `ERR_OUT_OF_MEMORY`; signal.reason when aborted.
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
  ...session
}: PredictorOptions): Promise<Predictor> {
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const inputs = new GraphInputs(graph, network, { batch, coils, height, width, mask });
  const { image, coils: predicted } = network.reconstruct(inputs, (name) => parameters.get(name) as Value);
  const output = predicted ? predicted.images : image;
  graph.output('output', output);
  return new Predictor(
    await createSession(graphToOnnx(graph), session),
    weights,
    mapShapes(inputs.shapes),
    tensor('float32', output.shape),
  );
}

const mapShapes = (shapes: GraphInputs['shapes']): Readonly<Record<string, Tensor<'float32'>>> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, tensor('float32', shape)]));

/** A network loaded for measurements of one size. Close it when done: its memory is invisible to the garbage collector. */
export class Predictor {
  readonly #session: Session;
  readonly #binding: Binding;
  readonly #inputs: Readonly<Record<string, Tensor<'float32'>>>;
  readonly #output: Tensor<'float32'>;

  /** Use `createPredictor`. */
  constructor(
    session: Session,
    weights: ParameterStore,
    inputs: Readonly<Record<string, Tensor<'float32'>>>,
    output: Tensor<'float32'>,
  ) {
    this.#session = session;
    this.#inputs = inputs;
    this.#output = output;
    const parameters = weights.specs.map(({ name, shape }) => [name, tensor('float32', shape, weights.get(name))]);
    const bound: NamedTensors = { ...Object.fromEntries(parameters), ...inputs };
    this.#binding = session.bind(bound, { output });
  }

  /** Names of the inputs that the network needs. */
  get inputs(): readonly string[] {
    return Object.keys(this.#inputs);
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
    for (const [name, { data: own, shape }] of Object.entries(this.#inputs)) {
      if (!Object.hasOwn(data, name))
        throw new LarmorError(
          'ERR_ARGUMENT',
          `Predictor: this network needs ${this.inputs.join(', ')}; got no ${name}`,
        );
      if (data[name].length !== own.length)
        throw new LarmorError(
          'ERR_SHAPE',
          `Predictor: ${name} of shape ${formatShape(shape)} must hold ${points(shape)} values, got ${data[name].length}`,
        );
      own.set(data[name]);
    }
    await this.#binding.run({ signal });
    return this.#output.data.slice();
  }

  /** Frees the network; closing twice does nothing. */
  close(): void {
    this.#session.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
