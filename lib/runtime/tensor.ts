// Tensors: typed memory with a shape, as a network's inputs and outputs take it.
import { allocateBytes, formatShape, points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { CudaTensor } from './cuda-tensor.js';
import type { DeviceTensor } from './device-tensor.js';

interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type ElementType = keyof Arrays;
export type TensorData<T extends ElementType> = Arrays[T];

interface ArrayConstructor<A> {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, offset: number, length: number): A;
}

const ARRAYS: { readonly [T in ElementType]: ArrayConstructor<Arrays[T]> } = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** `data` holds the elements in C order, last axis of `shape` fastest. Scalars have the shape []. */
export interface Tensor<T extends ElementType = ElementType> {
  readonly type: T;
  readonly shape: Shape;
  readonly data: TensorData<T>;
}

/** A tensor as sessions take it: in memory of JavaScript, or on the session's device. */
export type BoundTensor = Tensor | DeviceTensor | CudaTensor;

/**
 * A tensor around `data`, without a copy; without `data`, zeros on a 64-byte boundary.
 *
 * @throws LarmorError `ERR_SHAPE` when a length is no positive integer or data and shape disagree; `ERR_OUT_OF_MEMORY`.
 */
export function tensor<T extends ElementType>(type: T, shape: Shape, data?: TensorData<T>): Tensor<T> {
  const made = { type, shape, data: data ?? allocate(type, shape) };
  expectTensor('tensor', type, made);
  return made;
}

function allocate<T extends ElementType>(type: T, shape: Shape): TensorData<T> {
  expectType('tensor', type, type);
  expectLengths('tensor', type, shape);
  const length = points(shape);
  return new ARRAYS[type](allocateBytes(length * ARRAYS[type].BYTES_PER_ELEMENT), 0, length);
}

function expectType(who: string, name: string, type: ElementType): void {
  if (!Object.hasOwn(ARRAYS, type))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `${who}: ${name} must have a type of ${Object.keys(ARRAYS).join(', ')}, got ${type}`,
    );
}

function expectLengths(who: string, name: string, shape: Shape): void {
  if (!shape.every((n) => Number.isSafeInteger(n) && n > 0))
    throw new LarmorError('ERR_SHAPE', `${who}: ${name} must have positive integer lengths, got ${formatShape(shape)}`);
}

/** Throws `ERR_ARGUMENT` or `ERR_SHAPE` unless type, shape and data of `value` agree. */
export function expectTensor(who: string, name: string, { type, shape, data }: Tensor): void {
  expectType(who, name, type);
  if (!(data instanceof ARRAYS[type]))
    throw new LarmorError('ERR_ARGUMENT', `${who}: ${name} of type ${type} must hold a ${ARRAYS[type].name}`);
  expectLengths(who, name, shape);
  if (data.length !== points(shape))
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: ${name} of shape ${formatShape(shape)} must hold ${points(shape)} elements, got ${data.length}`,
    );
}
