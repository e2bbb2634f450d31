// Every reconstruction method by name.
import { LarmorError } from '../errors.js';
import type { Method } from './method.js';
import { cgSenseMethod } from './methods/cg-sense.js';
import { grappaMethod } from './methods/grappa.js';
import { unetMethod, unrolledMethod } from './methods/image-networks.js';
import { l1WaveletMethod } from './methods/l1-wavelet.js';
import { locallyLowRankMethod } from './methods/locally-low-rank.js';
import { spiritMethod } from './methods/spirit.js';
import { totalVariationMethod } from './methods/total-variation.js';
import { varnetMethod } from './methods/varnet.js';
import { zeroFilledMethod } from './methods/zero-filled.js';

/** The methods, in the order of help texts and reports. */
export const METHODS: readonly Method[] = [
  zeroFilledMethod,
  cgSenseMethod,
  l1WaveletMethod,
  totalVariationMethod,
  locallyLowRankMethod,
  grappaMethod,
  spiritMethod,
  unetMethod,
  unrolledMethod,
  varnetMethod,
];

/** The method of that name. @throws LarmorError `ERR_ARGUMENT` for an unknown one. */
export function methodByName(name: string): Method {
  const method = METHODS.find((candidate) => candidate.name === name);
  if (method) return method;
  const names = METHODS.map((candidate) => candidate.name).join(', ');
  throw new LarmorError('ERR_ARGUMENT', `method must be one of ${names}, got ${JSON.stringify(name)}`);
}
