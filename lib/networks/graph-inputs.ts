// The inputs of a graph that runs or trains a network, each created when it is first asked for.
import type { Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { GraphBuilder } from '../graph/builder.js';
import { multiply } from '../graph/operations.js';
import { sampleWeights } from '../graph/operators/physics-forms.js';
import type { Value } from '../graph/types.js';
import type { Network, NetworkInputs } from './network.js';

/** Whole columns of k-space, or single points. */
export type MaskKind = 'lines' | 'points';

/** Sizes of what a graph works on. */
export interface MeasurementShapes {
  /** Slices at once. Default: 1. */
  readonly batch?: number | undefined;
  readonly height: number;
  readonly width: number;
  /** Needed by networks and losses that look at k-space. */
  readonly coils?: number | undefined;
  /** `lines`: what the network sees is a mask of columns, [batch, 1, width]; `points`: [batch, height, width]. Default: lines. */
  readonly mask?: MaskKind | undefined;
  /** The same of the samples that losses look at. Default: as `mask`. */
  readonly lossMask?: MaskKind | undefined;
}

/** Creates inputs by name; those never asked for are not part of the graph. */
export class GraphInputs implements NetworkInputs {
  readonly #graph: GraphBuilder;
  readonly #sizes: MeasurementShapes;
  readonly #channels: number;
  readonly #values = new Map<string, Value>();

  constructor(graph: GraphBuilder, { inChannels }: Pick<Network, 'inChannels'>, sizes: MeasurementShapes) {
    this.#graph = graph;
    this.#sizes = sizes;
    this.#channels = inChannels;
  }

  /** Shapes of the inputs asked for, by name. */
  get shapes(): Readonly<Record<string, Shape>> {
    return Object.fromEntries([...this.#values].map(([name, { shape }]) => [name, shape]));
  }

  image(): Value {
    return this.planes('image', this.#channels);
  }
  maps(): Value {
    return this.coils('maps');
  }
  mask(): Value {
    return this.#samples('mask', this.#sizes.mask);
  }
  kspace(): Value {
    return multiply(this.measured(), sampleWeights(this.mask()));
  }
  calibrationMask(): Value {
    return this.#samples('calibrationMask', this.#sizes.mask);
  }

  /** All measured samples [batch, coil, y, x, 2], also those that the network does not see. */
  measured(): Value {
    return this.coils('kspace');
  }

  /** A complex image or k-space of every coil: [batch, coil, y, x, 2]. */
  coils(name: string): Value {
    return this.#input(name, this.#coilShape());
  }

  /** Samples that a loss looks at: [batch, 1, x] or [batch, y, x]. */
  lossSamples(name: 'lossMask' | 'heldOutMask'): Value {
    return this.#samples(name, this.#sizes.lossMask ?? this.#sizes.mask);
  }

  /** An image of so many channels. */
  planes(name: string, channels: number): Value {
    const { batch = 1, height, width } = this.#sizes;
    return this.#input(name, [batch, channels, height, width]);
  }

  /** One number per slice, to broadcast over its image: [batch, 1, 1, 1]. */
  scalars(name: string): Value {
    return this.#input(name, [this.#sizes.batch ?? 1, 1, 1, 1]);
  }

  /** A matrix for every slice that moves rows or columns of its image: [batch, side, side]. */
  move(name: 'moveY' | 'moveX', side: number): Value {
    return this.#input(name, [this.#sizes.batch ?? 1, side, side]);
  }

  #samples(name: string, kind: MaskKind = 'lines'): Value {
    const { batch = 1, height, width } = this.#sizes;
    return this.#input(name, [batch, kind === 'lines' ? 1 : height, width]);
  }

  #coilShape(): Shape {
    const { batch = 1, coils, height, width } = this.#sizes;
    if (coils === undefined)
      throw new LarmorError(
        'ERR_ARGUMENT',
        'network: the number of coils must be given, for a network or a loss that looks at k-space',
      );
    return [batch, coils, height, width, 2];
  }

  #input(name: string, shape: Shape): Value {
    const value = this.#values.get(name) ?? this.#graph.input(name, shape);
    this.#values.set(name, value);
    return value;
  }
}
