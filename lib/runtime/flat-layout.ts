// Where named tensors lie in one block of float32 memory, so that a pass over all of them is a pass over one array.
import { formatShape, points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';

/** Floats in 64 bytes: every tensor starts on a boundary that wide instructions like. */
export const ALIGNMENT = 16;

/** A tensor's name and lengths. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: Shape;
}

/** Offsets of tensors, in their order, each on a 64-byte boundary; what lies between two stays zero. */
export class FlatLayout {
  readonly specs: readonly TensorSpec[];
  /** Floats of the whole block. */
  readonly length: number;
  readonly #ranges = new Map<string, readonly [begin: number, end: number]>();
  readonly #shapes = new Map<string, Shape>();

  constructor(specs: readonly TensorSpec[]) {
    this.specs = specs;
    let offset = 0;
    for (const { name, shape } of specs) {
      const length = points(shape);
      this.#ranges.set(name, [offset, offset + length]);
      this.#shapes.set(name, shape);
      offset += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    }
    this.length = offset;
  }

  /** First and one past the last float of a tensor. Throws `ERR_MODEL` for an unknown name. */
  range(name: string): readonly [begin: number, end: number] {
    return this.#ranges.get(name) ?? unknown(name);
  }

  /** Lengths of a tensor. Throws `ERR_MODEL` for an unknown name. */
  shape(name: string): Shape {
    return this.#shapes.get(name) ?? unknown(name);
  }
}

/** Throws `ERR_SHAPE` unless `values` fill a tensor of the layout, or the whole. */
export function expectLength(layout: FlatLayout, values: Float32Array, name?: string): void {
  if (name === undefined && values.length !== layout.length)
    throw new LarmorError(
      'ERR_SHAPE',
      `TensorStore: this network's state holds ${layout.length} values, got ${values.length}`,
    );
  if (name === undefined) return;
  const shape = layout.shape(name);
  if (values.length !== points(shape))
    throw new LarmorError(
      'ERR_SHAPE',
      `TensorStore: ${name} of shape ${formatShape(shape)} must hold ${points(shape)} values, got ${values.length}`,
    );
}

function unknown(name: string): never {
  throw new LarmorError('ERR_MODEL', `model: the network has no parameter "${name}"`);
}
