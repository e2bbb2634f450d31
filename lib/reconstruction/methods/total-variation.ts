// Compressed sensing with total variation: piecewise smooth images under ESPIRiT maps.
import { espiritBytes } from '../../calibration/espirit.js';
import { totalVariation } from '../../solvers/total-variation.js';
import { fastmriLambda } from '../contrast.js';
import type { Method } from '../method.js';

export const totalVariationMethod: Method = {
  name: 'tv',
  description: 'least squares with total variation and ESPIRiT maps, by accelerated proximal gradients',
  needsModel: false,
  settings: ['regularisation', 'iterations', 'tolerance'],
  workingBytes: ({ coils, points }) => 8 * (coils + 12) * points + espiritBytes(coils),
  async start({ settings: { regularisation, iterations: maxIterations, tolerance }, acquisition }) {
    return {
      async reconstruct({ kspace, mask, maps }, { signal, threads, onStage }) {
        const encoding = { maps: await maps(), mask };
        const lambda = regularisation ?? fastmriLambda(acquisition, mask);
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const options = { lambda, maxIterations, tolerance, signal, threads, onProgress };
        const { x, iterations, change: residual, stop } = await totalVariation(kspace, encoding, options);
        return { image: x, solver: { iterations, residual, stop } };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
