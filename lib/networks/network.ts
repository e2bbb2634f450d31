// What a network is to training and reconstruction, and every kind of network by name.
import { points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { Value } from '../graph/types.js';
import { createOnnxNetwork } from './onnx-network.js';
import { createUnet } from './unet.js';

/** How a parameter starts: uniform in [-bound, bound), or one value throughout. */
export type Initialiser = { readonly bound: number } | { readonly value: number };

/** A parameter of a network: its name, shape and how it starts. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initial: Initialiser;
  /** `decoder`: the part that adaptation can train alone. */
  readonly part: 'encoder' | 'decoder';
}

/** A family of graphs from image to image, one for every image size, over one set of parameters. */
export interface Network {
  /** Name in the registry. */
  readonly kind: string;
  /** What `createNetwork` needs, beside the kind, to make this network again. JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: readonly ParameterSpec[];
  readonly inChannels: number;
  readonly outChannels: number;
  /**
   * Appends the network to the graph of `input`.
   *
   * Shapes: input [n, inChannels, y, x] -> [n, outChannels, y, x]. `parameter` gives the value of a parameter by name.
   *
   * @throws LarmorError `ERR_SHAPE` when the image is too small or has other channels.
   */
  build(input: Value, parameter: (name: string) => Value): Value;
}

const kinds: Readonly<Record<string, (config: unknown) => Network>> = { unet: createUnet, onnx: createOnnxNetwork };

/**
 * The network of a kind and a configuration, as model files and training configurations describe it.
 *
 * @throws LarmorError `ERR_MODEL` for an unknown kind or a configuration that does not fit it.
 */
export function createNetwork(kind: string, config: unknown): Network {
  if (!Object.hasOwn(kinds, kind))
    throw new LarmorError(
      'ERR_MODEL',
      `createNetwork: kind must be one of ${Object.keys(kinds).join(', ')}, got ${JSON.stringify(kind)}`,
    );
  return kinds[kind](config);
}

/** Number of trainable numbers. */
export function parameterCount({ parameters }: Network): number {
  return parameters.reduce((total, { shape }) => total + points(shape), 0);
}
