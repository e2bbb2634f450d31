// Which method runs which networks.
import { LarmorError } from '../errors.js';
import type { Model } from '../networks/model.js';

/** The networks of each method. */
const NETWORKS = {
  unet: 'from image to image',
  unrolled: 'with the measurement inside, which gives one image',
  varnet: 'that gives coil images',
} as const;
type NetworkMethod = keyof typeof NETWORKS;

/** The method that runs a model. */
export function methodOfModel({ network }: Model): NetworkMethod {
  if (network.gives === 'coils') return 'varnet';
  return 'build' in network ? 'unet' : 'unrolled';
}

/**
 * Checks that a method runs such networks as the model's: another one would leave the data consistency out, or make it twice.
 *
 * @throws LarmorError `ERR_MODEL` naming the kind of network and its method.
 */
export function expectSuited(method: string, model: Model): void {
  const suited = methodOfModel(model);
  if (method === suited) return;
  const wanted = NETWORKS[method as NetworkMethod];
  throw new LarmorError(
    'ERR_MODEL',
    `reconstruct: method ${method} needs a network ${wanted}; the model is of kind ${model.network.kind}, ` +
      `a network ${NETWORKS[suited]}: use method ${suited}, or leave the method out`,
  );
}
