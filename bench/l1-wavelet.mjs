// l1-wavelet beside `bart pics -R W` on the same k-space, maps and lambda: node bench/l1-wavelet.mjs [threads] [rounds]
import { Wavelet } from '../dist/operators/wavelet.js';
import { l1Wavelet } from '../dist/solvers/l1-wavelet.js';
import { compareRegularised } from './support/regularised.mjs';

const LAMBDA = 0.002;

await compareRegularised({
  name: 'l1-wavelet',
  lambda: LAMBDA,
  flags: ['-n', '-R', `W:3:0:${LAMBDA}`],
  solve: (kspace, model, options) => l1Wavelet(kspace, model, { ...options, cycleSpinning: false }),
  async penalty(image) {
    const { data } = await new Wavelet(image.shape).apply(image);
    let sum = 0;
    for (let i = 0; i < data.length; i += 2) sum += Math.hypot(data[i], data[i + 1]);
    return sum;
  },
});
