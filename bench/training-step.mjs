// One training step (forward, backward, Adam) of fastMRI's U-Net and end-to-end VarNet beside PyTorch: node bench/training-step.mjs [threads] [rounds]
import { LOSSES } from '../dist/training/losses.js';
import { eachCase } from './support/cases.mjs';
import { compareSteps } from './support/compare-steps.mjs';
import { numbers } from './support/harness.mjs';
import { measurement } from './support/measurement.mjs';
import { noise } from './support/noise.mjs';

const [threads = 1, rounds = 5] = numbers;
const SIDE = 320;
const COILS = 15;

/** On images of so many channels. */
function unetCase(channels) {
  const shape = [1, channels, SIDE, SIDE];
  const length = channels * SIDE * SIDE;
  return {
    name: `U-Net 32 channels, 4 pools, 1x${channels}x${SIDE}x${SIDE}`,
    config: { inChannels: channels, outChannels: channels, channels: 32, pools: 4 },
    loss: LOSSES.supervised,
    peerLoss: 'supervised',
    shapes: { batch: 1, height: SIDE, width: SIDE },
    data: { image: { values: noise(length, 1), shape }, target: { values: noise(length, 2), shape } },
  };
}

function varnetCase(cascades) {
  const { kspace, mask, calibrationMask } = measurement(COILS, SIDE, SIDE);
  const lines = [1, 1, SIDE];
  return {
    name: `VarNet, ${cascades} cascades, ${COILS}x${SIDE}x${SIDE}`,
    kind: 'varnet',
    config: { cascades },
    loss: LOSSES['supervised-magnitude'],
    peerLoss: 'magnitude',
    shapes: { batch: 1, coils: COILS, height: SIDE, width: SIDE },
    data: {
      kspace: { values: kspace, shape: [1, COILS, SIDE, SIDE, 2] },
      mask: { values: mask, shape: lines },
      calibrationMask: { values: calibrationMask, shape: lines },
      targetRss: { values: noise(SIDE * SIDE, 2).map(Math.abs), shape: [1, 1, SIDE, SIDE] },
    },
  };
}

await eachCase([() => unetCase(1), () => unetCase(2), () => varnetCase(4)], (make) =>
  compareSteps({ benchmark: 'training step', ...make(), threads, rounds }),
);
