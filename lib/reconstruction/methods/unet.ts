// The U-Net as a method: what the registry knows of it without loading what networks need.
import type { Method } from '../method.js';

/** Floats per pixel that the activations of a U-Net take, in units of its channels: 7 images a level, halved level by level. */
const ACTIVATIONS = 14;

export const unetMethod: Method = {
  name: 'unet',
  description: 'U-Net on the coil combination, then data consistency; adapts to every slice on request',
  needsModel: true,
  adapts: true,
  givesNetworkImage: true,
  settings: [],
  sequential: ({ adapt }) => adapt?.start === 'previous-slice',
  workingBytes({ coils, points }, { model, adapt }) {
    // Networks of other software do not say it; their first kernel does.
    const kernel = model?.network.parameters.find(({ shape }) => shape.length === 4);
    const channels = Number(model?.network.config.channels ?? kernel?.shape[0] ?? 0);
    const weights = 4 * (model?.weights.data.length ?? 0);
    const activations = 4 * ACTIVATIONS * channels * points;
    const kspace = 8 * coils * points;
    // Training keeps gradients, both moments of Adam, a copy of the best weights; activations until the way back.
    if (!adapt) return 4 * kspace + activations + weights;
    const slices = adapt.volumeIterations > 0 ? adapt.batch : 1; // at once, in the joint training
    return slices * (6 * kspace + 3 * activations) + 6 * weights;
  },
  async start(setup, options) {
    const { startUnet } = await import('./unet-reconstructor.js');
    return startUnet(setup, options);
  },
};
