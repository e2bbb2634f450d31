// What a network is to training and reconstruction, and every kind of network by name.
import { points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { Value } from '../graph/types.js';
import { createOnnxNetwork } from './onnx-network.js';
import { createUnet } from './unet.js';
import { createVarnet } from './varnet.js';

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

/** What all networks have: a family of graphs, one for every image size, over one set of parameters. */
interface NetworkDescription {
  /** Name in the registry. */
  readonly kind: string;
  /** What `createNetwork` needs, beside the kind, to make this network again. JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: readonly ParameterSpec[];
}

/** A network from image to image. */
export interface ImageNetwork extends NetworkDescription {
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

/** The measurement that an unrolled network works on. */
export interface UnrolledInputs {
  /** [n, coil, y, x, 2], zero where the mask is. */
  readonly kspace: Value;
  /** [n, 1, x] or [n, y, x]: 1 where measured, 0 elsewhere. */
  readonly mask: Value;
  /** The same for the fully sampled centre, of which the coil maps are made. */
  readonly calibrationMask?: Value | undefined;
}

/** What an unrolled network makes of a measurement. */
export interface UnrolledOutputs {
  /** [n, coil, y, x, 2], complete. */
  readonly kspace: Value;
  /** Coil maps [n, coil, y, x, 2]. */
  readonly maps: Value;
  /** The image that every coil sees, [n, coil, y, x, 2]. */
  readonly coilImages: Value;
  /** The coils combined by their conjugate maps, [n, 2, y, x]. */
  readonly image: Value;
  /** Root sum of squares of the coil images, [n, y, x]. */
  readonly magnitude: Value;
}

/** A network from undersampled k-space to an image, with the measurement inside. */
export interface UnrolledNetwork extends NetworkDescription {
  /** Whether it makes coil maps itself and needs a `calibrationMask`; if not, the k-space is of one virtual coil. */
  readonly makesMaps: boolean;
  /**
   * Appends the network to the graph of its inputs. `parameter` gives the value of a parameter by name.
   *
   * @throws LarmorError `ERR_SHAPE` when inputs disagree or the image is too small; `ERR_ARGUMENT` without a needed `calibrationMask`.
   */
  unroll(inputs: UnrolledInputs, parameter: (name: string) => Value): UnrolledOutputs;
}

/** A network of either sort: `'unroll' in network` tells which. */
export type Network = ImageNetwork | UnrolledNetwork;

const kinds = { unet: createUnet, varnet: createVarnet, onnx: createOnnxNetwork } satisfies Readonly<
  Record<string, (config: unknown) => Network>
>;
type Kind = keyof typeof kinds;

const isKind = (name: string): name is Kind => Object.hasOwn(kinds, name);

/**
 * The network of a kind and a configuration, as model files and training configurations describe it.
 *
 * @throws LarmorError `ERR_MODEL` for an unknown kind or a configuration that does not fit it.
 */
export function createNetwork<K extends Kind>(kind: K, config: unknown): ReturnType<(typeof kinds)[K]>;
export function createNetwork(kind: string, config: unknown): Network;
export function createNetwork(kind: string, config: unknown): Network {
  if (!isKind(kind))
    throw new LarmorError(
      'ERR_MODEL',
      `createNetwork: kind must be one of ${Object.keys(kinds).join(', ')}, got ${JSON.stringify(kind)}`,
    );
  return kinds[kind](config);
}

/** The network, for callers that have images to give. @throws LarmorError `ERR_MODEL` when it works on k-space. */
export function imageNetwork(who: string, network: Network): ImageNetwork {
  if ('build' in network) return network;
  throw new LarmorError(
    'ERR_MODEL',
    `${who} needs a network from image to image, such as a U-Net; a ${network.kind} works on k-space`,
  );
}

/** Number of trainable numbers. */
export function parameterCount({ parameters }: Network): number {
  return parameters.reduce((total, { shape }) => total + points(shape), 0);
}
