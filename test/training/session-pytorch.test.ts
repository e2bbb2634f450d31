// Training steps against PyTorch's.
import { expect, test } from 'vitest';
import { float32Tensor, readSafetensors } from '#larmor/io/safetensors.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { LOSSES } from '#larmor/training/losses.js';
import { createTrainingSession } from '#larmor/training/open-session.js';
import { relativeError } from '../support/graph-checks.js';
import { describeShared, shared } from '../support/shared.js';

const FIXTURES = [
  { file: 'unet_c4_p2', seed: 0, config: { channels: 4, pools: 2 } },
  { file: 'unet_c8_p3_odd', seed: 1, config: { channels: 8, pools: 3, inChannels: 1, outChannels: 1 } },
];

describeShared("three Adam steps of fastMRI's U-Net in PyTorch", () => {
  test.each(FIXTURES)('$file', async ({ file, seed, config }) => {
    const fixture = await readSafetensors(shared(`fixtures/${file}.safetensors`));
    const network = createNetwork('unet', config);
    const [image, target] = ['input', 'target'].map((name) => float32Tensor(fixture, name));
    const [batch, , height, width] = image.shape;
    await using session = await createTrainingSession({
      network,
      weights: ParameterStore.initialise(network.parameters, seed),
      loss: LOSSES.supervised,
      shapes: { batch, height, width },
      optimiser: { learningRate: 1e-3 },
      threads: 1,
    });
    session.set({ image: image.data, target: target.data });
    const error = (values: Float32Array, name: string): number =>
      relativeError(values, float32Tensor(fixture, name).data);

    expect(error(await session.predict(), 'output')).toBeLessThan(1e-5);
    const losses = [];
    for (let i = 0; i < 3; i++) losses.push((await session.step()).loss);
    losses.push((await session.evaluate()).loss);
    expect(error(Float32Array.from(losses), 'adam_losses')).toBeLessThan(1e-5);
    const [weights, gradients] = [await session.weights(), await session.gradients()];
    for (const { name } of network.parameters) {
      expect(error(weights.get(name), `adam_param.${name}`), name).toBeLessThan(1e-4);
      // The file's gradients are those of the third step: after two steps of Adam, which divides by the gradient's size, PyTorch
      // itself differs by 7e-5 between two ways to add up a convolution.
      expect(error(gradients.get(name), `grad.${name}`), name).toBeLessThan(1e-3);
    }
    expect(error(await session.predict(), 'adam_output')).toBeLessThan(1e-3);
  });
});
