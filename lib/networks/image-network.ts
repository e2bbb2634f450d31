// Networks from image to image, which need nothing else of a measurement.
import { LarmorError } from '../errors.js';
import type { Value } from '../graph/types.js';
import type { Network, Parameters } from './network.js';

/** A network that needs the image alone. */
export interface ImageNetwork extends Network {
  /**
   * Appends the network to the graph of `input`.
   *
   * Shapes: input [n, inChannels, y, x] -> [n, outChannels, y, x].
   *
   * @throws LarmorError `ERR_SHAPE` when the image is too small or has other channels.
   */
  build(input: Value, parameter: Parameters): Value;
}

/** An image network of which only `build` remains to be said. */
export function imageNetworkOf(network: Omit<ImageNetwork, 'gives' | 'reconstruct'>): ImageNetwork {
  return {
    ...network,
    gives: 'image',
    reconstruct: (inputs, parameter) => ({ image: network.build(inputs.image(), parameter) }),
  };
}

/** Whether a network needs the image alone. */
export const isImageNetwork = (network: Network): network is ImageNetwork => 'build' in network;

/** The network, for callers that have images alone to give. @throws LarmorError `ERR_MODEL` when it needs the measurement too. */
export function imageNetwork(who: string, network: Network): ImageNetwork {
  if (isImageNetwork(network)) return network;
  throw new LarmorError(
    'ERR_MODEL',
    `${who} needs a network from image to image, such as a U-Net; one of kind ${network.kind} needs the measurement too`,
  );
}
