// Calibrationless reconstruction: coil images that depend on each other in every small block (CLEAR).
import { locallyLowRank } from '../../solvers/locally-low-rank.js';
import type { Method } from '../method.js';

export const locallyLowRankMethod: Method = {
  name: 'locally-low-rank',
  description: 'coil images of low rank in every block, without maps, root sum of squares',
  needsModel: false,
  settings: ['regularisation', 'iterations', 'tolerance', 'blockSize'],
  workingBytes: ({ coils, points }) => 8 * 5 * coils * points,
  async start({ settings: { regularisation: lambda, iterations: maxIterations, tolerance, blockSize } }) {
    return {
      async reconstruct({ index, kspace, mask }, { signal, threads, onStage }) {
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const options = { lambda, blockSize, maxIterations, tolerance, seed: index, signal, threads, onProgress };
        const { x, iterations, change: residual, stop } = await locallyLowRank(kspace, { mask }, options);
        return { image: x, solver: { iterations, residual, stop } };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
