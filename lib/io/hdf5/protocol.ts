// What the HDF5 worker thread can be asked, and how questions and answers travel.
import type { Shape } from '../../arrays/complex-array.js';
import type { LarmorErrorCode } from '../../errors.js';

/** Element types larmor understands; anything else is 'other'. Complex numbers are compounds of two floats. */
export type ElementType = 'complex64' | 'complex128' | 'float32' | 'float64' | 'integer' | 'text' | 'other';

export interface DatasetInfo {
  readonly name: string;
  readonly shape: Shape;
  readonly elements: ElementType;
}

export type AttributeValue = string | number | boolean | readonly AttributeValue[];

/** In which form elements are handed over: interleaved re, im, or real numbers. */
export type ReadAs = 'complex64' | 'float32';

/** A box within a dataset: first index and length along every axis. */
export interface Box {
  readonly start: readonly number[];
  readonly count: readonly number[];
}

/** What the worker does; one file per worker. Every operation throws LarmorError. */
export interface Hdf5Operations {
  open(path: string): void;
  create(path: string): void;
  /** Datasets of the root group. */
  datasets(): DatasetInfo[];
  /** Attributes of the root group; those of other types than text, number and boolean are left out. */
  attributes(): Record<string, AttributeValue>;
  /** A scalar text of at most `maxBytes`. */
  readText(name: string, maxBytes: number): string;
  /** The elements of a box; NaN and infinity are refused. */
  read(name: string, box: Box, as: ReadAs): Float32Array<ArrayBuffer>;
  /** For every position along the last two axes: 1 where any complex element of the box is not zero, else 0. */
  support(name: string, box: Box): Uint8Array<ArrayBuffer>;
  /** A dataset stored in chunks of `chunk`, filled by `write`. */
  createDataset(name: string, elements: 'complex64' | 'float32' | 'integer', shape: Shape, chunk: Shape): void;
  write(name: string, box: Box, data: Float32Array | Uint8Array): void;
  writeText(name: string, text: string): void;
  writeAttribute(name: string, value: string | number): void;
  /** Flushes what was written. @returns Bytes of memory the library holds. */
  close(): number;
}

export type Operation = keyof Hdf5Operations;

export interface Request {
  readonly id: number;
  readonly operation: Operation;
  readonly args: readonly unknown[];
}

export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: LarmorErrorCode; readonly message: string };
}
