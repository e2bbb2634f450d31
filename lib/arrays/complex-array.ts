// Arrays with a shape: complex (interleaved re, im) and real, both float32, C order, last axis fastest.
import { binding } from '../binding.js';
import { LarmorError, toLarmorError } from '../errors.js';

/** Lengths of the axes, slowest first. */
export type Shape = readonly number[];

/** Complex samples: `data` holds re, im of each point, last axis of `shape` fastest. */
export interface ComplexArray {
  readonly data: Float32Array;
  readonly shape: Shape;
}

/** Real samples, last axis of `shape` fastest. */
export interface RealArray {
  readonly data: Float32Array;
  readonly shape: Shape;
}

/** Number of points in `shape`. */
export function points(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** `[16,320,320]`: how shapes stand in error messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/**
 * Memory on a 64-byte boundary, as wide instructions want it; zeroed unless a native job is to write it whole.
 *
 * @throws LarmorError `ERR_OUT_OF_MEMORY`.
 */
export function allocateBytes(bytes: number, zeroed = true): ArrayBuffer {
  try {
    return binding.allocate(bytes, zeroed);
  } catch (error) {
    throw toLarmorError(error);
  }
}

/** Zeroed float32 memory, allocated as by `allocateBytes`. */
export function allocateFloat32(length: number): Float32Array<ArrayBuffer> {
  return new Float32Array(allocateBytes(4 * length), 0, length);
}

/** Memory with arbitrary contents, for a result that a native job writes whole: zeroing it here would hold up the event loop. */
export function complexUninitialised(shape: Shape): ComplexArray {
  const length = 2 * points(shape);
  return { data: new Float32Array(allocateBytes(4 * length, false), 0, length), shape };
}

export function complexZeros(shape: Shape): ComplexArray {
  return { data: allocateFloat32(2 * points(shape)), shape };
}

export function realZeros(shape: Shape): RealArray {
  return { data: allocateFloat32(points(shape)), shape };
}

/**
 * Throws unless `array` is a complex array of the wanted shape.
 *
 * @param who Function or operator named in the message. @param argument Name of the argument.
 * @throws LarmorError `ERR_SHAPE` with both shapes, or when data and shape disagree.
 */
export function expectComplex(who: string, argument: string, array: ComplexArray, want: Shape): void {
  if (!sameShape(array.shape, want))
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: ${argument} must have shape ${formatShape(want)}, got ${formatShape(array.shape)}`,
    );
  if (array.data.length !== 2 * points(want))
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: ${argument} of shape ${formatShape(want)} must hold ${2 * points(want)} floats, got ${array.data.length}`,
    );
}
