// Elements of tensors by their index.
import { size, type Tensor, tensor } from './tensor.js';

const stridesOf = (shape: readonly number[]): number[] => shape.map((_, i) => size(shape.slice(i + 1)));

/** Index vector of element `flat`. */
export function indices(flat: number, shape: readonly number[]): number[] {
  return stridesOf(shape).map((stride, i) => Math.floor(flat / stride) % shape[i]);
}

/** Element number of an index. */
export function offset(index: readonly number[], shape: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis] + index[axis];
  return flat;
}

/** A tensor whose element at each index is `element(index)`. */
export function build(shape: readonly number[], element: (index: number[]) => number): Tensor {
  const index = shape.map(() => 0);
  const data = new Float64Array(size(shape));
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = element(index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return tensor(shape, data);
}

/** Element of x at `index` of a shape that x broadcasts to. */
export function at({ shape, data }: Tensor, index: readonly number[]): number {
  const lead = index.length - shape.length;
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++)
    flat = flat * shape[axis] + (shape[axis] === 1 ? 0 : index[axis + lead]);
  return data[flat];
}

/** Element at an index that may lie outside, where x is zero. */
export function orZero({ shape, data }: Tensor, index: readonly number[]): number {
  return index.every((n, i) => n >= 0 && n < shape[i]) ? data[offset(index, shape)] : 0;
}
