// Which parameters of every kind of network each choice trains.
import { expect, test } from 'vitest';
import { createNetwork, type Network } from '#larmor/networks/network.js';
import { importOnnx } from '#larmor/networks/onnx-model.js';
import { chooses, type ParameterChoice } from '#larmor/networks/parameter-choice.js';
import { describeShared, shared } from '../support/shared.js';

const chosen = ({ parameters }: Network, choice: ParameterChoice): string[] =>
  parameters.filter((spec) => chooses(choice, spec)).map(({ name }) => name);

const LAST = ['up_conv.0.1.weight', 'up_conv.0.1.bias'];
const FIRST = 'down_sample_layers.0.layers.0.weight';
const SCALES = [
  'down_sample_layers.0.layers.1',
  'down_sample_layers.0.layers.5',
  'conv.layers.1',
  'conv.layers.5',
  'up_transpose_conv.0.layers.1',
  'up_conv.0.0.layers.1',
  'up_conv.0.0.layers.5',
].flatMap((name) => [`${name}.weight`, `${name}.bias`]);

test.each([
  ['unet', { channels: 2, pools: 1, affine: true }, [...SCALES, ...LAST], [FIRST, ...LAST]],
  ['unet', { channels: 2, pools: 1 }, LAST, [FIRST, ...LAST]],
  [
    'varnet',
    { cascades: 1, channels: 2, pools: 1, sensitivity: null },
    ['cascades.0.dc_weight', ...LAST.map((name) => `cascades.0.model.unet.${name}`)],
    [FIRST, ...LAST].map((name) => `cascades.0.model.unet.${name}`),
  ],
  [
    'unrolled',
    { cascades: 2, channels: 2, pools: 1 },
    [
      'cascades.0.weight_root',
      ...[1, 2].flatMap((c) => [
        ...[...SCALES, ...LAST].map((name) => `cascades.${c}.unet.${name}`),
        `cascades.${c}.weight_root`,
      ]),
    ],
    [1, 2].flatMap((c) => [FIRST, ...LAST].map((name) => `cascades.${c}.unet.${name}`)),
  ],
  [
    'modl',
    { unrolls: 1, blocks: 1, channels: 2 },
    ['regulariser.output.weight', 'mu'],
    ['regulariser.first.weight', 'regulariser.output.weight'],
  ],
])('%s %j', (kind, config, norm, ends) => {
  const network = createNetwork(kind, config);
  expect(chosen(network, 'norm').sort()).toEqual([...norm].sort());
  expect(chosen(network, 'ends').sort()).toEqual([...ends].sort());
  expect(chosen(network, 'all')).toHaveLength(network.parameters.length);
});

describeShared('an ONNX network', () => {
  test('its first and last kernel are its ends, the last one its norm choice where nothing normalises with weights', async () => {
    const { network } = await importOnnx(shared('fixtures/unet_c4_p2.onnx'));
    const kernels = network.parameters.filter(({ shape }) => shape.length === 4);
    const ends = chosen(network, 'ends');
    expect(ends).toContain(kernels[0].name);
    expect(ends.some((name) => /up_conv\.1\.1\.weight/.test(name))).toBe(true);
    expect(chosen(network, 'norm').every((name) => /up_conv\.1\.1\./.test(name))).toBe(true);
  });
});
