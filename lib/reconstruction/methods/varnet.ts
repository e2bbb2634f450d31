// The end-to-end VarNet as a method: what the registry knows of it without loading what networks need.
import { DEVICE_KINDS } from '../../runtime/devices.js';
import type { Method } from '../method.js';

/** Floats per pixel that a U-Net holds at once, in units of its channels; measured. */
const ACTIVATIONS = 8;
/** Copies of k-space in the graph and around it. */
const KSPACE_COPIES = 8;
/** Coils that the network of the maps sees at once. */
const COILS_AT_ONCE = 4;

const channelsOf = (config: unknown): number => Number((config as { channels?: number } | null)?.channels ?? 0);

export const varnetMethod: Method = {
  name: 'varnet',
  description: 'end-to-end variational network from k-space to coil images, with coil maps of its own',
  needsModel: true,
  devices: DEVICE_KINDS,
  settings: [],
  workingBytes({ coils, points }, { model }) {
    const weights = 4 * (model?.weights.data.length ?? 0);
    const { config } = model?.network ?? {};
    const together = Math.min(coils, COILS_AT_ONCE) * channelsOf(config?.sensitivity);
    const channels = Math.max(channelsOf(config), together);
    return 8 * KSPACE_COPIES * coils * points + 4 * ACTIVATIONS * channels * points + weights;
  },
  async start(setup) {
    const { startVarnet } = await import('./varnet-reconstructor.js');
    return startVarnet(setup);
  },
};
