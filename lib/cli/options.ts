// Parsers for option values; a wrong value is wrong usage (exit 2) and the message names the option.
import { InvalidArgumentError } from 'commander';
import { isKernelSize, KERNEL_WANTED, type KernelSize } from '../calibration/neighbours.js';
import { LarmorError } from '../errors.js';
import { WINDOW_TYPES, type WindowOptions } from '../operators/window.js';
import { DEVICE_WANTED, type Device, parseDevice } from '../runtime/devices.js';

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
}

/** Parser of a number within a closed range. */
export function number({ min = -Infinity, max = Infinity }: NumberRange = {}): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a number${describeRange(min, max)}.`);
    return value;
  };
}

/** Parser of a whole number within a closed range. */
export function integer({ min = -Infinity, max = Infinity }: NumberRange = {}): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number${describeRange(min, max)}.`);
    return value;
  };
}

/** Parser of the sides of a window of k-space: `5`, or `4x5` along ky and kx. */
export function kernelSize(text: string): KernelSize {
  const sides = /^\d+(x\d+)?$/.test(text) ? text.split('x').map(Number) : [];
  const size = sides.length === 1 ? sides[0] : sides;
  if (!isKernelSize(size)) throw new InvalidArgumentError(`It must be N or NxM: ${KERNEL_WANTED}.`);
  return size;
}

/** Parser of a crop: a number from 0 to 1, or `auto`. */
export function crop(text: string): number | 'auto' {
  if (text === 'auto') return text;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 0 && value < 1))
    throw new InvalidArgumentError('It must be "auto", or a number of at least 0 and below 1.');
  return value;
}

/** Parser of the pixels of an image: `YxX`. */
export function matrix(text: string): readonly [number, number] {
  const sides = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text);
  if (!sides) throw new InvalidArgumentError('It must be YxX, such as 320x320.');
  return [Number(sides[1]), Number(sides[2])];
}

/** Parser of an interpolation: a factor, or `YxX`. */
export function interpolation(text: string): number | readonly [number, number] {
  return text.includes('x') ? matrix(text) : number({ min: 1, max: 64 })(text);
}

/** Parser of a window over k-space: its type, optionally its width and taper, as in `tukey:1:0.3`. */
export function window(text: string): WindowOptions {
  const [name, ...values] = text.split(':');
  const type = WINDOW_TYPES.find((known) => known === name);
  const [width, taper] = values.map(number({ min: 0 }));
  if (!type || values.length > 2)
    throw new InvalidArgumentError(`It must be TYPE, TYPE:WIDTH or TYPE:WIDTH:TAPER of ${WINDOW_TYPES.join(', ')}.`);
  return { type, ...(width !== undefined && { width }), ...(taper !== undefined && { taper }) };
}

/** Where to compute. */
export function device(text: string): Device | 'auto' {
  if (text !== 'auto' && !parseDevice(text)) throw new InvalidArgumentError(`It must be one of ${DEVICE_WANTED}.`);
  return text as Device | 'auto';
}

/** Slices from `first` up to but not including `end`; absent ends are open. */
export interface SliceRange {
  readonly first?: number;
  readonly end?: number;
}

/** Parser of `A:B` (A up to, not including, B; either may be left out) or a single slice `A`, counted from 0. */
export function sliceRange(text: string): SliceRange {
  const single = /^\d+$/.exec(text);
  if (single) return { first: Number(text), end: Number(text) + 1 };
  const range = /^(\d*):(\d*)$/.exec(text);
  if (!range) throw new InvalidArgumentError('It must be A:B or a single slice A, counted from 0.');
  const [, first, end] = range;
  if (first !== '' && end !== '' && Number(first) >= Number(end))
    throw new InvalidArgumentError('A:B must have A < B.');
  return { ...(first !== '' && { first: Number(first) }), ...(end !== '' && { end: Number(end) }) };
}

/** `range` within the `count` slices there are. @throws LarmorError `ERR_ARGUMENT` when it reaches beyond them. */
export function withinSlices({ first = 0, end }: SliceRange, count: number): { first: number; end: number } {
  const last = end ?? count;
  if (first >= last || last > count)
    throw new LarmorError('ERR_ARGUMENT', `--slices must lie within 0:${count}, got ${first}:${last}`);
  return { first, end: last };
}

function describeRange(min: number, max: number): string {
  if (min !== -Infinity && max !== Infinity) return ` from ${min} to ${max}`;
  if (min !== -Infinity) return ` of at least ${min}`;
  return max !== Infinity ? ` of at most ${max}` : '';
}
