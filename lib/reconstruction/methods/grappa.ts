// GRAPPA: the coils' images of k-space filled from its measured neighbours.
import { grappa } from '../../calibration/grappa.js';
import { ifft2 } from '../../operators/fft2.js';
import type { Method } from '../method.js';

const KERNEL_ENTRIES = 25; // of the default kernel

export const grappaMethod: Method = {
  name: 'grappa',
  description: 'missing samples from their measured neighbours in all coils, root sum of squares',
  needsModel: false,
  settings: ['kernel', 'regularisation'],
  workingBytes: ({ coils, points }) => 8 * 3 * coils * points + 16 * (coils * KERNEL_ENTRIES) ** 2,
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
