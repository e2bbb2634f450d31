// CG-SENSE: the regularised least-squares image under ESPIRiT maps.
import { cgSense } from '../../solvers/sense.js';
import { combineSets } from '../images.js';
import type { Method } from '../method.js';

/** Weight of |x|^2 where the caller names none: with it real scans at 4x are best or near it. */
const REGULARISATION = 0.005;

export const cgSenseMethod: Method = {
  name: 'cg-sense',
  description: 'regularised least squares with ESPIRiT maps, by conjugate gradients',
  needsModel: false,
  workingBytes: ({ coils, points }) => 8 * 3 * coils * points,
  async start({ regularisation: lambda = REGULARISATION, iterations: maxIterations }) {
    return {
      async reconstruct({ kspace, mask, maps }, { signal, threads, onStage }) {
        const encoding = { maps: await maps(), mask };
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const { x } = await cgSense(kspace, encoding, { lambda, maxIterations, signal, threads, onProgress });
        return { image: combineSets(x) };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
