// GRAPPA: the coils' images of k-space filled from its measured neighbours.
import { grappa } from '../../calibration/grappa.js';
import { calibrationBytes } from '../../calibration/neighbours.js';
import { ifft2 } from '../../operators/fft2.js';
import type { Method } from '../method.js';

export const grappaMethod: Method = {
  name: 'grappa',
  description: 'missing samples from their measured neighbours in all coils, root sum of squares',
  needsModel: false,
  coilImages: true,
  settings: ['kernel', 'regularisation'],
  workingBytes: ({ coils, points }, { settings }) => 8 * 3 * coils * points + calibrationBytes(coils, settings.kernel),
  async start({ settings: { kernel, regularisation: lambda } }) {
    return {
      async reconstruct({ kspace, mask }, { signal, threads, onStage }) {
        const onProgress = onStage && ((fraction: number) => onStage('reconstructing', fraction));
        const options = { mask, kernel, lambda, signal, threads, onProgress };
        const { kspace: filled, warnings } = await grappa(kspace, options);
        return { image: await ifft2(filled, { signal, threads }), warnings };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
