// Compressed sensing: images sparse in wavelets, under ESPIRiT maps.
import { espiritBytes } from '../../calibration/espirit.js';
import { l1Wavelet } from '../../solvers/l1-wavelet.js';
import { fastmriLambda } from '../contrast.js';
import type { Method } from '../method.js';

export const l1WaveletMethod: Method = {
  name: 'l1-wavelet',
  description: 'least squares with sparse wavelet coefficients and ESPIRiT maps, by accelerated proximal gradients',
  needsModel: false,
  settings: ['regularisation', 'iterations', 'tolerance', 'wavelet'],
  workingBytes: ({ coils, points }) => 8 * (coils + 8) * points + espiritBytes(coils),
  async start({ settings, acquisition }) {
    const { regularisation, iterations: maxIterations, tolerance, wavelet } = settings;
    return {
      async reconstruct({ index, kspace, mask, maps }, { signal, threads, onStage }) {
        const encoding = { maps: await maps(), mask };
        const lambda = regularisation ?? fastmriLambda(acquisition, mask);
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const options = { lambda, wavelet, maxIterations, tolerance, seed: index, signal, threads, onProgress };
        const { x, iterations, change: residual, stop } = await l1Wavelet(kspace, encoding, options);
        return { image: x, solver: { iterations, residual, stop } };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
