// Several sets of maps beside a network that makes one image: the network gets the first set, least squares the others.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexZeros } from '../../arrays/complex-array.js';
import { componentAt } from '../../arrays/slices.js';
import type { RunOptions } from '../../jobs.js';
import { EncodingOperator } from '../../operators/encoding.js';
import type { SamplingMask } from '../../sampling/mask.js';
import { cgSense } from '../../solvers/sense.js';
import { CG_SENSE_REGULARISATION } from './cg-sense.js';

/** A measurement that one set of maps explains, and what belongs to the other sets. */
export interface FirstSet {
  /** [coil, ky, kx]: the measured samples less those of the other sets' images. */
  readonly kspace: ComplexArray;
  /** [coil, y, x]. */
  readonly maps: ComplexArray;
  /** Images [set, y, x] of all sets with the image of the first at zero; undefined for one set. */
  readonly others: ComplexArray | undefined;
}

/**
 * Reduces a measurement under maps [set, coil, y, x] to one of its first set: CG-SENSE finds the image of every set, and the samples that the
 * images of all but the first would give are taken out of k-space. Where the object lies within the field of view these are close to nothing;
 * where it wraps, the network would otherwise be asked to explain them with maps that cannot.
 *
 * @throws LarmorError as `cgSense`.
 */
export async function firstSet(
  kspace: ComplexArray,
  maps: ComplexArray,
  mask: SamplingMask,
  options: RunOptions = {},
): Promise<FirstSet> {
  const first = componentAt(maps, 0);
  if (maps.shape[0] === 1) return { kspace, maps: first, others: undefined };
  const { x: others } = await cgSense(kspace, { maps, mask }, { ...options, lambda: CG_SENSE_REGULARISATION });
  componentAt(others, 0).data.fill(0);
  const explained = await new EncodingOperator({ maps, mask }).apply(others, options);
  const rest = complexZeros(kspace.shape);
  const length = rest.data.length / kspace.shape[0];
  for (let begin = 0; begin < rest.data.length; begin += length) {
    for (let i = begin; i < begin + length; i += 1) rest.data[i] = kspace.data[i] - explained.data[i];
    await nextTurn();
  }
  return { kspace: rest, maps: first, others };
}

/** The image [y, x] of the first set together with those of the others: [set, y, x], or [y, x] alone where there are none. */
export function withOthers(image: ComplexArray, others: ComplexArray | undefined): ComplexArray {
  if (!others) return image;
  const all = { data: others.data.slice(), shape: others.shape };
  componentAt(all, 0).data.set(image.data);
  return all;
}
