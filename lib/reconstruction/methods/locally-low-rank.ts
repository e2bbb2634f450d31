// Local low rank: coil images without calibration (CLEAR), or neighbouring slices or contrasts at once with coil maps.
import { locallyLowRank } from '../../solvers/locally-low-rank.js';
import type { Method } from '../method.js';
import { GROUP_SLICES, JointContrasts, JointSlices } from './low-rank-frames.js';

export const locallyLowRankMethod: Method = {
  name: 'locally-low-rank',
  description: 'low rank in every block: of coil images without maps; of neighbouring slices or contrasts with maps',
  needsModel: false,
  coilImages: true,
  settings: ['regularisation', 'iterations', 'tolerance', 'blockSize', 'across'],
  joint: ({ across = 'coils' }) => (across === 'coils' ? undefined : across),
  sequential: ({ settings: { across } }) => across === 'slices',
  workingBytes({ coils, points, sets, contrasts }, { settings: { across = 'coils' } }) {
    if (across === 'coils') return 8 * 5 * coils * points;
    const frames = across === 'slices' ? GROUP_SLICES : contrasts;
    // Samples and maps, once as read and once stacked; the solver's images.
    return 8 * frames * (2 * coils * (1 + sets) + 6 * sets) * points;
  },
  async start(setup) {
    const {
      across = 'coils',
      regularisation: lambda,
      iterations: maxIterations,
      tolerance,
      blockSize,
    } = setup.settings;
    const chosen = { lambda, maxIterations, tolerance, blockSize };
    if (across === 'slices') return new JointSlices(setup, chosen);
    if (across === 'contrasts') return new JointContrasts(chosen);
    return {
      async reconstruct({ index, kspace, mask }, { signal, threads, onStage }) {
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const options = { ...chosen, seed: index, signal, threads, onProgress };
        const { x, iterations, change: residual, stop } = await locallyLowRank(kspace, { mask }, options);
        return { image: x, solver: { iterations, residual, stop } };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
