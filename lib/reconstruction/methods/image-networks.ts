// Networks that give one image, as methods: what the registry knows of them without loading what networks need.
import type { Method } from '../method.js';
import type { FinalStep } from './network-reconstructor.js';

/** Floats per pixel that the activations of a U-Net take, in units of its channels: 7 images a level, halved level by level. */
const ACTIVATIONS = 14;

const networkMethod = (name: string, description: string, final: FinalStep): Method => ({
  name,
  description,
  needsModel: true,
  adapts: true,
  givesNetworkImage: final !== 'none',
  settings: [],
  sequential: ({ adapt }) => adapt?.start === 'previous-slice',
  workingBytes({ coils, points }, { model, adapt }) {
    // Networks of other software do not say it; their first kernel does.
    const kernel = model?.network.parameters.find(({ shape }) => shape.length === 4);
    const channels = Number(model?.network.config.channels ?? kernel?.shape[0] ?? 0);
    const weights = 4 * (model?.weights.data.length ?? 0);
    const cascades = Number(model?.network.config.cascades ?? 1);
    // Cascades follow one another: only training keeps what all of them computed.
    const activations = 4 * ACTIVATIONS * channels * points * (adapt ? cascades : 1);
    const kspace = 8 * coils * points;
    // Training keeps gradients, both moments of Adam, a copy of the best weights; activations until the way back.
    if (!adapt) return 4 * kspace + activations + weights;
    const others = adapt.volumeIterations > 0 ? adapt.volumeSlices : 0; // in memory during the joint training
    return (6 + 2 * others) * kspace + 3 * activations + 6 * weights;
  },
  async start(setup, options) {
    const { startNetwork } = await import('./network-reconstructor.js');
    return startNetwork(name, final, setup, options);
  },
});

export const unetMethod = networkMethod(
  'unet',
  'U-Net on the coil combination, then data consistency; adapts to every slice on request',
  'data-consistency',
);

export const unrolledMethod = networkMethod(
  'unrolled',
  'network with the measurement inside; adapts to every slice on request',
  'none',
);
