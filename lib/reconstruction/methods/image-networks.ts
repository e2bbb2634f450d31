// Networks that give one image, as methods: what the registry knows of them without loading what networks need.
import { DEVICE_KINDS } from '../../runtime/devices.js';
import type { Method } from '../method.js';
import type { FinalStep } from './network-reconstructor.js';

/** Floats per pixel that the activations of a U-Net take, in units of its channels: 7 images a level, halved level by level. */
const UNET_ACTIVATIONS = 14;

/** The same of whatever network it is, or of one of its cascades; a third of what training keeps. */
function activationsOf({ blocks }: Readonly<Record<string, unknown>>, trains: boolean): number {
  if (blocks === undefined) return UNET_ACTIVATIONS;
  return trains ? Number(blocks) + 2 : 4; // a ResNet's 3 per block, at full resolution
}

const networkMethod = (name: string, description: string, final: FinalStep): Method => ({
  name,
  description,
  needsModel: true,
  devices: DEVICE_KINDS,
  adapts: true,
  givesNetworkImage: final !== 'none',
  settings: [],
  sequential: ({ adapt }) => adapt?.start === 'previous-slice',
  workingBytes({ coils, points }, { model, adapt }) {
    // Networks of other software do not say it; their first kernel does.
    const kernel = model?.network.parameters.find(({ shape }) => shape.length === 4);
    const config = model?.network.config ?? {};
    const channels = Number(config.channels ?? kernel?.shape[0] ?? 0);
    const weights = 4 * (model?.weights.data.length ?? 0);
    // Cascades follow one another: only training keeps what all of them computed.
    const cascades = adapt && !adapt.recompute ? Number(config.cascades ?? config.unrolls ?? 1) : 1;
    const activations = 4 * activationsOf(config, adapt !== undefined) * channels * points * cascades;
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
