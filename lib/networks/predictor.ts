// Runs a network on images of one size.
import { formatShape, points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import { graphToOnnx } from '../graph/onnx.js';
import type { Value } from '../graph/types.js';
import type { RunOptions } from '../jobs.js';
import { type Binding, createSession, type Session, type SessionOptions } from '../runtime/session.js';
import { type Tensor, tensor } from '../runtime/tensor.js';
import { imageNetwork, type Network } from './network.js';
import type { ParameterStore } from './parameters.js';

/** What `createPredictor` loads. */
export interface PredictorOptions extends Pick<SessionOptions, 'threads' | 'signal' | 'device'> {
  readonly network: Network;
  /** Read at every prediction, not copied. */
  readonly weights: ParameterStore;
  /** Images at once. Default: 1. */
  readonly batch?: number | undefined;
  readonly height: number;
  readonly width: number;
}

/**
 * Loads a network for images of one size.
 *
 * @throws LarmorError `ERR_MODEL` for a network that works on k-space; `ERR_SHAPE` when the images are too small for the network; `ERR_RUNTIME_MISSING`, `ERR_OUT_OF_MEMORY`;
 *   signal.reason when aborted.
 * @example using predictor = await createPredictor({ network, weights, height: 320, width: 320 });
 */
export async function createPredictor({
  network: given,
  weights,
  batch = 1,
  height,
  width,
  ...session
}: PredictorOptions): Promise<Predictor> {
  const network = imageNetwork('createPredictor', given);
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const input = graph.input('input', [batch, network.inChannels, height, width]);
  const output = network.build(input, (name) => parameters.get(name) as Value);
  graph.output('output', output);
  return new Predictor(await createSession(graphToOnnx(graph), session), weights, input.shape, output.shape);
}

/** A network loaded for images of one size. Close it when done: its memory is invisible to the garbage collector. */
export class Predictor {
  readonly #session: Session;
  readonly #binding: Binding;
  readonly #input: Tensor<'float32'>;
  readonly #output: Tensor<'float32'>;

  /** Use `createPredictor`. */
  constructor(session: Session, weights: ParameterStore, input: Shape, output: Shape) {
    this.#session = session;
    this.#input = tensor('float32', input);
    this.#output = tensor('float32', output);
    const parameters = weights.specs.map(({ name, shape }) => [name, tensor('float32', shape, weights.get(name))]);
    this.#binding = session.bind({ ...Object.fromEntries(parameters), input: this.#input }, { output: this.#output });
  }

  /**
   * The network's output for `input`, [n,inChannels,y,x] -> [n,outChannels,y,x]. One call at a time.
   *
   * @throws LarmorError `ERR_SHAPE`, `ERR_CLOSED`; signal.reason when aborted.
   */
  async predict(input: Float32Array, { signal }: Pick<RunOptions, 'signal'> = {}): Promise<Float32Array> {
    const { data, shape } = this.#input;
    if (input.length !== points(shape))
      throw new LarmorError(
        'ERR_SHAPE',
        `Predictor: input of shape ${formatShape(shape)} must hold ${points(shape)} values, got ${input.length}`,
      );
    data.set(input);
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
