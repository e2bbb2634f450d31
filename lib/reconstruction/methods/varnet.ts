// The end-to-end VarNet as a method: what the registry knows of it without loading what networks need.
import type { Method } from '../method.js';

/** Floats per pixel that a U-Net holds at once, in units of its channels; measured. */
const ACTIVATIONS = 9;
/** Copies of k-space in the graph and around it. */
const KSPACE_COPIES = 9;

const channelsOf = (config: unknown): number => Number((config as { channels?: number } | null)?.channels ?? 0);

export const varnetMethod: Method = {
  name: 'varnet',
  description: 'end-to-end variational network from k-space to coil images, with coil maps of its own',
  needsModel: true,
  settings: [],
  workingBytes({ coils, points }, { model }) {
    const weights = 4 * (model?.weights.data.length ?? 0);
    // The network of the maps sees all coils at once.
    const channels = Math.max(channelsOf(model?.network.config), coils * channelsOf(model?.network.config.sensitivity));
    return 8 * KSPACE_COPIES * coils * points + 4 * ACTIVATIONS * channels * points + weights;
  },
  async start(setup) {
    const { startVarnet } = await import('./varnet-reconstructor.js');
    return startVarnet(setup);
  },
};
