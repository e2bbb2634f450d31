// Runs an unrolled network on k-space of one size.
import { formatShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import { graphToOnnx } from '../graph/onnx.js';
import type { Value } from '../graph/types.js';
import type { RunOptions } from '../jobs.js';
import { type Binding, createSession, type Session, type SessionOptions } from '../runtime/session.js';
import { type Tensor, tensor } from '../runtime/tensor.js';
import type { UnrolledNetwork } from './network.js';
import type { ParameterStore } from './parameters.js';

/** What `createUnrolledPredictor` loads. */
export interface UnrolledPredictorOptions extends Pick<SessionOptions, 'threads' | 'signal' | 'device'> {
  readonly network: UnrolledNetwork;
  /** Read at every prediction, not copied. */
  readonly weights: ParameterStore;
  readonly coils: number;
  readonly height: number;
  readonly width: number;
}

/** One slice's measurement under a mask of columns. */
export interface UnrolledMeasurement {
  /** [coil, y, x, 2], zero where the mask is. */
  readonly kspace: Float32Array;
  /** [x]: 1 where measured, 0 elsewhere. */
  readonly mask: Float32Array;
  /** [x]: 1 in the fully sampled centre. Not read by networks that make no maps. */
  readonly calibrationMask: Float32Array;
}

type Inputs = Readonly<Record<string, Tensor<'float32'>>>;

/**
 * Loads an unrolled network for k-space of one size.
 *
 * @throws LarmorError `ERR_SHAPE` when the image is too small for the network, or has several coils and the network makes no maps;
 *   `ERR_RUNTIME_MISSING`, `ERR_OUT_OF_MEMORY`; signal.reason when aborted.
 * @example using predictor = await createUnrolledPredictor({ network, weights, coils: 15, height: 640, width: 368 });
 */
export async function createUnrolledPredictor({
  network,
  weights,
  coils,
  height,
  width,
  ...session
}: UnrolledPredictorOptions): Promise<UnrolledPredictor> {
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const kspace = graph.input('kspace', [1, coils, height, width, 2]);
  const mask = graph.input('mask', [1, 1, width]);
  const calibrationMask = network.makesMaps ? graph.input('calibrationMask', mask.shape) : undefined;
  const data = calibrationMask ? [kspace, mask, calibrationMask] : [kspace, mask];
  const { coilImages } = network.unroll({ kspace, mask, calibrationMask }, (name) => parameters.get(name) as Value);
  graph.output('coilImages', coilImages);
  const inputs = Object.fromEntries(data.map(({ name, shape }) => [name, tensor('float32', shape)]));
  return new UnrolledPredictor(await createSession(graphToOnnx(graph), session), weights, inputs);
}

/** An unrolled network loaded for k-space of one size. Close it when done: its memory is invisible to the garbage collector. */
export class UnrolledPredictor {
  readonly #session: Session;
  readonly #binding: Binding;
  readonly #inputs: Inputs;
  readonly #output: Tensor<'float32'>;

  /** Use `createUnrolledPredictor`. */
  constructor(session: Session, weights: ParameterStore, inputs: Inputs) {
    this.#session = session;
    this.#inputs = inputs;
    this.#output = tensor('float32', inputs.kspace.shape);
    const parameters = weights.specs.map(({ name, shape }) => [name, tensor('float32', shape, weights.get(name))]);
    this.#binding = session.bind({ ...Object.fromEntries(parameters), ...inputs }, { coilImages: this.#output });
  }

  /**
   * The image of every coil, [coil, y, x, 2]. One call at a time.
   *
   * @throws LarmorError `ERR_SHAPE`, `ERR_CLOSED`; signal.reason when aborted.
   */
  async predict(
    measurement: UnrolledMeasurement,
    { signal }: Pick<RunOptions, 'signal'> = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    for (const name of ['kspace', 'mask', 'calibrationMask'] as const) {
      const input = this.#inputs[name];
      if (!input) continue;
      if (measurement[name].length !== input.data.length)
        throw new LarmorError(
          'ERR_SHAPE',
          `UnrolledPredictor: ${name} of shape ${formatShape(input.shape)} must hold ${input.data.length} values, ` +
            `got ${measurement[name].length}`,
        );
      input.data.set(measurement[name]);
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
