// CG-SENSE: the regularised least-squares image under ESPIRiT maps.
import { espiritBytes } from '../../calibration/espirit.js';
import type { Method } from '../method.js';
import { cgSenseOn } from '../sense-on-device.js';

/** Weight of |x|^2 where the caller names none: with it real scans at 4x are best or near it. */
export const CG_SENSE_REGULARISATION = 0.005;

export const cgSenseMethod: Method = {
  name: 'cg-sense',
  description: 'regularised least squares with ESPIRiT maps, by conjugate gradients',
  needsModel: false,
  devices: ['cuda', 'cpu'],
  settings: ['regularisation', 'iterations', 'tolerance'],
  // Maps, the vectors of the iteration and the image in the order of its transforms.
  workingBytes: ({ coils, points }) => 8 * (coils + 8) * points + espiritBytes(coils),
  async start({
    settings: { regularisation: lambda = CG_SENSE_REGULARISATION, iterations: maxIterations, tolerance },
    devices,
  }) {
    return {
      async reconstruct({ kspace, mask, maps }, { signal, threads, onStage }) {
        const problem = { kspace, maps: await maps(), mask };
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const options = { lambda, maxIterations, tolerance, signal, threads, onProgress };
        const { result, device, warnings } = await cgSenseOn(devices, problem, options);
        const { x, ...solver } = result;
        return { image: x, solver, device, warnings };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
