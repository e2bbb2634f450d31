// What a network is to training and reconstruction, and every kind of network by name.
import { points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { Value } from '../graph/types.js';
import { createModl } from './modl.js';
import type { InputKind } from './network-input.js';
import { createOnnxNetwork } from './onnx-network.js';
import { createUnet } from './unet.js';
import { createUnrolled } from './unrolled.js';
import { createVarnet } from './varnet.js';

/** How a parameter starts: uniform in [-bound, bound), normal of mean 0, or one value throughout. */
export type Initialiser = { readonly bound: number } | { readonly deviation: number } | { readonly value: number };

/** A parameter of a network: its name, shape and how it starts. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initial: Initialiser;
  /** `decoder`: the part that adaptation can train alone. */
  readonly part: 'encoder' | 'decoder';
  /**
   * What adaptation can train by itself beside `part`. `first`, `last`: the layer that takes and the one that makes an image, of every
   * image network inside; `scale`: of a normalisation, or a weight of data consistency. Default: none of these.
   */
  readonly role?: 'first' | 'last' | 'scale' | undefined;
}

/** What a network may ask for, each made in its graph when asked for. */
export interface NetworkInputs {
  /** The zero-filled image, [n, inChannels, y, x]: the coils combined as `networkInput` does. */
  image(): Value;
  /** Coil maps [n, coil, y, x, 2]. */
  maps(): Value;
  /** [n, 1, x] or [n, y, x]: 1 for the samples that the network sees, 0 elsewhere. */
  mask(): Value;
  /** These samples, [n, coil, y, x, 2], zero where the mask is. */
  kspace(): Value;
  /** The part of the mask that is the fully sampled centre, of which coil maps can be made. */
  calibrationMask(): Value;
}

/** Gives the value of a parameter by its name. */
export type Parameters = (name: string) => Value;

/** What a network makes of its inputs. */
export interface Prediction {
  /** [n, outChannels, y, x]; of networks that make coil images, these combined by their conjugate maps. */
  readonly image: Value;
  /** Of networks that make coil images instead of taking maps. */
  readonly coils?: CoilPrediction | undefined;
}

/** What a network with coil maps of its own makes. */
export interface CoilPrediction {
  /** [n, coil, y, x, 2], complete. */
  readonly kspace: Value;
  /** Coil maps [n, coil, y, x, 2]. */
  readonly maps: Value;
  /** The image that every coil sees, [n, coil, y, x, 2]. */
  readonly images: Value;
  /** Root sum of squares of the coil images, [n, y, x]. */
  readonly magnitude: Value;
}

/** Appends a network with its parameters to a graph, once more or for the first time. */
export type Reconstruct = (inputs: NetworkInputs) => Prediction;

/** A family of graphs, one for every image size, over one set of parameters: from a measurement to an image. */
export interface Network {
  /** Name in the registry. */
  readonly kind: string;
  /** What `createNetwork` needs, beside the kind, to make this network again. JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: readonly ParameterSpec[];
  readonly inChannels: number;
  readonly outChannels: number;
  /** `image`: one image, by the maps it is given or none; `coils`: an image per coil, by maps of its own. */
  readonly gives: 'image' | 'coils';
  /** The only input image its equations hold for. Default: any. */
  readonly requires?: InputKind | undefined;
  /**
   * Appends the network to a graph, asking for the inputs it needs.
   *
   * @throws LarmorError `ERR_SHAPE` when an image is too small or inputs disagree.
   */
  reconstruct(inputs: NetworkInputs, parameter: Parameters): Prediction;
}

const kinds = {
  unet: createUnet,
  unrolled: createUnrolled,
  varnet: createVarnet,
  modl: createModl,
  onnx: createOnnxNetwork,
} satisfies Readonly<Record<string, (config: unknown) => Network>>;
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

/** Number of trainable numbers. */
export function parameterCount({ parameters }: Network): number {
  return parameters.reduce((total, { shape }) => total + points(shape), 0);
}
