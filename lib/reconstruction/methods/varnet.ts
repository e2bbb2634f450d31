// The end-to-end VarNet as a method: what the registry knows of it without loading what networks need.
import { DEVICE_KINDS } from '../../runtime/devices.js';
import type { Method } from '../method.js';

/** Floats per pixel that a U-Net holds at once, in units of its channels; measured. */
const ACTIVATIONS = 8;
/** The same that training keeps. */
const KEPT_ACTIVATIONS = 12;
/** Copies of k-space in the graph and around it. */
const KSPACE_COPIES = 8;
/** Coils that the network of the maps sees at once. */
const COILS_AT_ONCE = 4;

const channelsOf = (config: unknown): number => Number((config as { channels?: number } | null)?.channels ?? 0);

export const varnetMethod: Method = {
  name: 'varnet',
  description:
    'end-to-end variational network from k-space to coil images, with coil maps of its own; adapts to every slice on request',
  needsModel: true,
  devices: DEVICE_KINDS,
  adapts: true,
  settings: [],
  sequential: ({ adapt }) => adapt?.start === 'previous-slice',
  workingBytes({ coils, points }, { model, adapt }) {
    const weights = 4 * (model?.weights.data.length ?? 0);
    const { config } = model?.network ?? {};
    const cascades = Number(config?.cascades ?? 1);
    const [channels, ofMaps] = [channelsOf(config), channelsOf(config?.sensitivity)];
    const atOnce = Math.max(channels, Math.min(coils, COILS_AT_ONCE) * ofMaps);
    const kspace = 8 * coils * points;
    if (!adapt) return KSPACE_COPIES * kspace + 4 * ACTIVATIONS * atOnce * points + weights;
    // Training keeps what all networks computed until the way back; gradients, both moments of Adam, a copy of the best weights.
    const kept = adapt.recompute ? atOnce : cascades * channels + coils * ofMaps;
    const others = adapt.volumeIterations > 0 ? adapt.volumeSlices : 0; // in memory during the joint training
    return (KSPACE_COPIES + cascades + others) * kspace + 4 * KEPT_ACTIVATIONS * kept * points + 6 * weights;
  },
  async start(setup, options) {
    const { startVarnet } = await import('./varnet-reconstructor.js');
    return startVarnet(setup, options);
  },
};
