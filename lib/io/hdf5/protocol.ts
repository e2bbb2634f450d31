// What the HDF5 worker thread can be asked, and how questions and answers travel.
import type { Shape } from '../../arrays/complex-array.js';
import type { LarmorErrorCode } from '../../errors.js';

/** Element types larmor understands; anything else is 'other'. Complex numbers are compounds of two floats. */
export type ElementType =
  | 'complex64'
  | 'complex128'
  | 'float32'
  | 'float64'
  | 'integer'
  | 'text'
  | 'acquisition' // a readout of an ISMRMRD file
  | 'other';

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

/** What readers need of the header of an acquisition, in the order in which `acquisitions` gives it. */
export const HEADER_FIELDS = [
  'flags', // bits 0 to 31 of 64
  'flags_high', // bits 32 to 63
  'number_of_samples',
  'active_channels',
  'discard_pre',
  'discard_post',
  'center_sample',
  'encoding_space_ref',
  'sample_time_us',
  'kspace_encode_step_1',
  'kspace_encode_step_2',
  'average',
  'slice',
  'contrast',
  'phase',
  'repetition',
  'set',
] as const;

/** A field of an acquisition's header. */
export type HeaderField = (typeof HEADER_FIELDS)[number];

/** One acquisition on its way into an array: `count` samples from `from` on land at `to` and after, in column `column`. */
export interface Line {
  readonly acquisition: number;
  readonly column: number;
  /** Counted after the reversal. */
  readonly from: number;
  readonly count: number;
  readonly to: number;
  /** Whether the samples are taken last to first. */
  readonly reversed: boolean;
  /** What the samples are multiplied by before they are added to the array. */
  readonly weight: number;
}

/** A complex array made of acquisitions, and how many elements lie between neighbours along each of its axes. */
export interface LineArray {
  readonly channels: number;
  readonly samples: number;
  readonly columns: number;
  readonly strides: { readonly channel: number; readonly sample: number; readonly column: number };
}

/** What the worker does; one file per worker. Every operation throws LarmorError. */
export interface Hdf5Operations {
  open(path: string): void;
  create(path: string): void;
  /** Datasets of the root group, and those of its groups as `group/name`. */
  datasets(): DatasetInfo[];
  /** Attributes of the root group; those of other types than text, number and boolean are left out. */
  attributes(): Record<string, AttributeValue>;
  /** A scalar text of at most `maxBytes`. */
  readText(name: string, maxBytes: number): string;
  /** The elements of a box; NaN and infinity are refused. */
  read(name: string, box: Box, as: ReadAs): Float32Array<ArrayBuffer>;
  /** For every position along the last two axes: 1 where any complex element of the box is not zero, else 0. */
  support(name: string, box: Box): Uint8Array<ArrayBuffer>;
  /** Headers of all acquisitions of an ISMRMRD dataset: [acquisition, field], fields as in `HEADER_FIELDS`. */
  acquisitions(name: string): Float64Array<ArrayBuffer>;
  /** Adds up acquisitions in an array of zeros; NaN and infinity are refused. */
  gather(name: string, lines: readonly Line[], array: LineArray): Float32Array<ArrayBuffer>;
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
