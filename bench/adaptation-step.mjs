// One iteration of test-time training (network, forward model, k-space loss, Adam) beside PyTorch: node bench/adaptation-step.mjs [threads] [rounds]
import { LOSSES } from '../dist/training/losses.js';
import { eachCase } from './support/cases.mjs';
import { compareSteps } from './support/compare-steps.mjs';
import { numbers } from './support/harness.mjs';
import { noise } from './support/noise.mjs';

const [threads = 1, rounds = 5] = numbers;
const CASES = [
  { config: { channels: 16, pools: 3, affine: true }, coils: 8, height: 128, width: 128 },
  { config: { channels: 32, pools: 4 }, coils: 15, height: 640, width: 368 },
];

await eachCase(CASES, async ({ config, coils, height, width }) => {
  const samples = coils * height * width * 2;
  const stack = [1, coils, height, width, 2];
  // Every fourth line, and eight in the centre.
  const mask = Float32Array.from({ length: width }, (_, x) => (x % 4 === 0 || Math.abs(x - width / 2) < 4 ? 1 : 0));
  const lines = { values: mask, shape: [1, 1, width] };
  const held = { values: new Float32Array(width), shape: [1, 1, width] };
  const scale = 1 / Math.sqrt(coils / 6); // the squared noise of all coils, real and imaginary part, sums to 1 on average
  await compareSteps({
    benchmark: 'adaptation step',
    name: `U-Net ${config.channels} channels, ${config.pools} pools${config.affine ? ', affine' : ''}, ${coils}x${height}x${width}`,
    config,
    loss: LOSSES.self,
    peerLoss: 'data',
    shapes: { batch: 1, coils, height, width },
    data: {
      image: { values: noise(2 * height * width, 1), shape: [1, 2, height, width] },
      maps: { values: noise(samples, 2).map((v) => v * scale), shape: stack },
      lossMask: lines,
      heldOutMask: held,
      kspace: { values: noise(samples, 3), shape: stack },
    },
    threads,
    rounds,
  });
});
