// One training step of fastMRI's U-Net (forward, backward, Adam) beside PyTorch: node bench/training-step.mjs [threads] [rounds]
import { LOSSES } from '../dist/training/losses.js';
import { compareSteps } from './support/compare-steps.mjs';
import { numbers } from './support/harness.mjs';
import { noise } from './support/noise.mjs';

const [threads = 1, rounds = 5] = numbers;
const SIDE = 320;

for (const channels of [1, 2]) {
  const shape = [1, channels, SIDE, SIDE];
  const length = channels * SIDE * SIDE;
  await compareSteps({
    benchmark: 'training step',
    name: `U-Net 32 channels, 4 pools, 1x${channels}x${SIDE}x${SIDE}`,
    config: { inChannels: channels, outChannels: channels, channels: 32, pools: 4 },
    loss: LOSSES.supervised,
    peerLoss: 'supervised',
    shapes: { batch: 1, height: SIDE, width: SIDE },
    data: { image: { values: noise(length, 1), shape }, target: { values: noise(length, 2), shape } },
    threads,
    rounds,
  });
}
