// SPIRiT: the coils' images of k-space that is consistent with its samples and with itself.
import { calibrationBytes } from '../../calibration/neighbours.js';
import { spirit } from '../../calibration/spirit.js';
import { ifft2 } from '../../operators/fft2.js';
import type { Method } from '../method.js';

export const spiritMethod: Method = {
  name: 'spirit',
  description: 'self-consistent k-space by conjugate gradients, root sum of squares',
  needsModel: false,
  coilImages: true,
  settings: ['kernel', 'regularisation', 'iterations', 'tolerance'],
  workingBytes({ coils, points, lines }, { settings }) {
    const kspace = 8 * coils * points;
    const solving = lines ? 0 : 4 * kspace + 4 * coils * coils * points; // lines: a few rows at a time
    return 2 * kspace + Math.max(solving, calibrationBytes(coils, settings.kernel));
  },
  async start({ settings: { kernel, regularisation, iterations: maxIterations, tolerance } }) {
    return {
      async reconstruct({ kspace, mask }, { signal, threads, onStage }) {
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const options = { mask, kernel, regularisation, maxIterations, tolerance, signal, threads, onProgress };
        const { kspace: filled, solver, warnings } = await spirit(kspace, options);
        return { image: await ifft2(filled, { signal, threads }), solver, warnings };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
