// Tensors whose numbers are known while a graph is built: constants, shapes and what exporters compute from them.
import { formatShape, points, type Shape, sameShape } from '../../arrays/complex-array.js';
import { LarmorError } from '../../errors.js';
import type { OnnxTensor, OnnxType } from '../onnx-model.js';

const MAX_ELEMENTS = 2 ** 24; // constants are computed for small things: shapes, pads, masks

const READERS: Record<OnnxType, (bytes: ArrayBuffer) => ArrayLike<number> | BigInt64Array> = {
  float32: (bytes) => new Float32Array(bytes),
  float64: (bytes) => new Float64Array(bytes),
  int32: (bytes) => new Int32Array(bytes),
  int64: (bytes) => new BigInt64Array(bytes),
  bool: (bytes) => new Uint8Array(bytes),
};

/** Numbers with a shape. Integers are kept as doubles, bools as 0 and 1. */
export class Known {
  constructor(
    readonly shape: Shape,
    readonly type: OnnxType,
    readonly data: Float64Array,
  ) {}

  /** The numbers of a tensor of a file. */
  static from({ shape, type, bytes }: OnnxTensor): Known {
    const numbers = READERS[type](new Uint8Array(bytes).buffer);
    return new Known(shape, type, Float64Array.from(numbers as ArrayLike<number | bigint>, Number));
  }

  static ints(list: readonly number[]): Known {
    return new Known([list.length], 'int64', Float64Array.from(list));
  }

  /** The element at each index of `shape`, from a function of the index. Throws `ERR_GRAPH` for a shape that no constant has. */
  static build(shape: Shape, type: OnnxType, element: (index: readonly number[]) => number): Known {
    const count = points(shape);
    if (!shape.every((n) => Number.isInteger(n) && n >= 0) || count > MAX_ELEMENTS)
      throw new LarmorError('ERR_GRAPH', `a constant cannot have the shape ${formatShape(shape)}`);
    const index = shape.map(() => 0);
    const data = new Float64Array(count);
    for (let flat = 0; flat < data.length; flat++) {
      data[flat] = element(index);
      for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
    }
    return new Known(shape, type, data);
  }

  /** The element at an index of a shape that this one broadcasts to. */
  at(index: readonly number[]): number {
    const lead = index.length - this.shape.length;
    let flat = 0;
    this.shape.forEach((n, axis) => {
      flat = flat * n + (n === 1 ? 0 : index[axis + lead]);
    });
    return this.data[flat];
  }

  get list(): number[] {
    return [...this.data];
  }

  /** Whether every number is `x`. */
  isAll(x: number): boolean {
    return this.data.every((value) => value === x);
  }

  /** The same numbers under another shape of as many elements. */
  withShape(shape: Shape): Known {
    if (points(shape) !== this.data.length)
      throw new LarmorError('ERR_GRAPH', `${formatShape(this.shape)} cannot take the shape ${formatShape(shape)}`);
    return sameShape(shape, this.shape) ? this : new Known(shape, this.type, this.data);
  }
}

/** The shape that two shapes broadcast to, undefined where they do not. */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape = Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    return m === 1 ? n : n === 1 || m === n ? m : Number.NaN;
  });
  return shape.some(Number.isNaN) ? undefined : shape;
}
