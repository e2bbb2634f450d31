// CG-SENSE: the regularised least-squares image under ESPIRiT maps.
import { espiritBytes } from '../../calibration/espirit.js';
import { cgSense } from '../../solvers/sense.js';
import type { Method } from '../method.js';

/** Weight of |x|^2 where the caller names none: with it real scans at 4x are best or near it. */
export const CG_SENSE_REGULARISATION = 0.005;

export const cgSenseMethod: Method = {
  name: 'cg-sense',
  description: 'regularised least squares with ESPIRiT maps, by conjugate gradients',
  needsModel: false,
  settings: ['regularisation', 'iterations', 'tolerance'],
  // Maps, the vectors of the iteration and the image in the order of its transforms.
  workingBytes: ({ coils, points }) => 8 * (coils + 8) * points + espiritBytes(coils),
  async start({
    settings: { regularisation: lambda = CG_SENSE_REGULARISATION, iterations: maxIterations, tolerance },
  }) {
    return {
      async reconstruct({ kspace, mask, maps }, { signal, threads, onStage }) {
        const encoding = { maps: await maps(), mask };
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const options = { lambda, maxIterations, tolerance, signal, threads, onProgress };
        const { x, ...solver } = await cgSense(kspace, encoding, options);
        return { image: x, solver };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
