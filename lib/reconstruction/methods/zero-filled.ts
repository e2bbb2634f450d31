// Zero-filling: the coils' images of k-space as measured, combined by their root sum of squares.
import { rootSumOfSquares } from '../images.js';
import type { Method } from '../method.js';

export const zeroFilledMethod: Method = {
  name: 'zero-filled',
  description: 'inverse FFT of the measured samples, root sum of squares over coils',
  needsModel: false,
  workingBytes: ({ coils, points }) => 8 * coils * points,
  async start() {
    return {
      async reconstruct({ kspace }, { signal, threads, onStage }) {
        onStage?.('reconstructing', 0);
        return { image: await rootSumOfSquares(kspace, { signal, threads }) };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
