// Zero-filling: the coils' images of k-space as measured.
import { ifft2 } from '../../operators/fft2.js';
import type { Method } from '../method.js';

export const zeroFilledMethod: Method = {
  name: 'zero-filled',
  description: 'inverse FFT of the measured samples, root sum of squares over coils',
  needsModel: false,
  coilImages: true,
  settings: [],
  workingBytes: ({ coils, points }) => 8 * coils * points,
  async start() {
    return {
      async reconstruct({ kspace }, { signal, threads, onStage }) {
        onStage?.('reconstructing', 0);
        return { image: await ifft2(kspace, { signal, threads }) };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
