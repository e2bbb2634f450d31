// Models out of PyTorch checkpoints: recognised by names and shapes, and refused with what does not fit.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { points } from '#larmor/arrays/complex-array.js';
import { readSafetensors } from '#larmor/io/safetensors.js';
import { loadModel, saveModel } from '#larmor/networks/model.js';
import { createNetwork, type Network } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { importCheckpoint } from '#larmor/networks/torch-model.js';
import { relativeError } from '../support/graph-checks.js';
import { checkpoint, dict, PROTO2, pickle, tensorPickle } from '../support/pickles.js';
import { describeShared, shared } from '../support/shared.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larmor-import-'));
});
afterEach(() => rm(folder, { recursive: true }));

describeShared("fastMRI's U-Net as PyTorch saved it", () => {
  test.each(['unet_c4_p2.state_dict.pt', 'unet_c4_p2.lightning.ckpt'])(
    '%s computes what PyTorch computes',
    async (file) => {
      const { network, weights, notes } = await importCheckpoint(shared(`fixtures/${file}`));
      expect(network.config).toEqual({
        inChannels: 2,
        outChannels: 2,
        channels: 4,
        pools: 2,
        residual: false,
        affine: false,
      });
      expect(notes.imported).toBe(file);
      const fixture = await readSafetensors(shared('fixtures/unet_c4_p2.safetensors'));
      const [input, output] = ['input', 'adam_output'].map((name) => fixture.tensors.get(name)?.data as Float32Array);
      using predictor = await createPredictor({ network, weights, batch: 2, height: 24, width: 20 });
      expect(relativeError(await predictor.predict({ image: input }), output)).toBeLessThan(1e-5);
    },
  );

  test('loadModel takes it, and what saveModel makes of it is the same model', async () => {
    const model = await loadModel(shared('fixtures/unet_c4_p2.lightning.ckpt'));
    const path = join(folder, 'model.safetensors');
    await saveModel(path, model);
    const back = await loadModel(path);
    expect(back.weights.data).toEqual(model.weights.data);
    expect(back.network.config).toEqual(model.network.config);
    expect(JSON.parse(back.notes.checkpoint)).toMatchObject({ epoch: 3, chans: 4 });
  });
});

type Shapes = Map<string, readonly number[]>;

/** Writes a checkpoint with tensors of these shapes, all of them ones. */
async function save(shapes: Shapes): Promise<string> {
  const path = join(folder, 'weights.pt');
  const storages: Record<string, Float32Array> = {};
  const entries = [...shapes].map(([name, shape], i) => {
    storages[i] = new Float32Array(points(shape)).fill(1);
    const strides = shape.map((_, axis) => points(shape.slice(axis + 1)));
    return [name, tensorPickle({ key: String(i), elements: points(shape), shape, strides })] as const;
  });
  await writeFile(path, checkpoint(pickle(PROTO2, dict(Object.fromEntries(entries)), '.'), storages));
  return path;
}

const shapesOf = ({ parameters }: Network, prefix = ''): Shapes =>
  new Map(parameters.map(({ name, shape }) => [prefix + name, shape]));
const network = createNetwork('unet', { channels: 4, pools: 3, inChannels: 1, outChannels: 3, affine: true });

test.each(['', 'unet.', 'module.', '_orig_mod.module.model.unet.'])(
  'sizes from shapes, behind the prefix "%s"',
  async (prefix) => {
    const shapes = shapesOf(network, prefix).set('loss.w', [1, 1, 7, 7]).set('ssim_loss.w', [1]);
    const model = await importCheckpoint(await save(shapes), { input: 'split-rss' });
    expect(model.network.config).toEqual(network.config);
    expect(model.weights.data).toEqual(
      ParameterStore.from(
        network.parameters,
        new Map(
          network.parameters.map(({ name, shape }) => [name, { shape, data: new Float32Array(points(shape)).fill(1) }]),
        ),
      ).data,
    );
    expect(model.input).toBe('split-rss');
  },
);

const broken: [string, RegExp, (shapes: Shapes) => void][] = [
  ['a parameter missing', /missing are "conv\.layers\.5\.bias"$/, (shapes) => shapes.delete('conv.layers.5.bias')],
  [
    'a parameter too many',
    /not known are "conv\.layers\.0\.bias"$/,
    (shapes) => shapes.set('conv.layers.0.bias', [32]),
  ],
  ['another module beside it', /not known are "head\.weight"/, (shapes) => shapes.set('head.weight', [1])],
  [
    'other shapes',
    /of another shape are "conv\.layers\.0\.weight" \[32,16,5,5\], not \[32,16,3,3\]/,
    (shapes) => shapes.set('conv.layers.0.weight', [32, 16, 5, 5]),
  ],
  [
    'no last layer',
    /almost fastMRI's U-Net: with 3 levels down it needs a "up_conv\.2\.1\.weight"/,
    (shapes) => shapes.delete('up_conv.2.1.weight'),
  ],
  [
    'many missing',
    /missing are ("[\w.]+", ){3}"[\w.]+" and 5 more/,
    (shapes) => {
      for (const name of [...shapes.keys()]) if (name.startsWith('up_transpose_conv.')) shapes.delete(name);
    },
  ],
  ['two of them', /holds 2 U-Nets/, (shapes) => shapes.set('ema.down_sample_layers.0.layers.0.weight', [4, 1, 3, 3])],
  [
    'another network',
    /not of a layout that larmor knows.*this holds "fc\.weight"\. Export other networks to ONNX/,
    (shapes) => {
      shapes.clear();
      shapes.set('fc.weight', [3, 3]);
    },
  ],
];
test.each(broken)('refuses weights with %s', async (_, message, change) => {
  const shapes = shapesOf(
    createNetwork('unet', { channels: 4, pools: 3, inChannels: 1, outChannels: 3, affine: true }),
  );
  change(shapes);
  await expect(importCheckpoint(await save(shapes))).rejects.toMatchObject({
    code: 'ERR_MODEL',
    message: expect.stringMatching(message),
  });
});

const varnet = createNetwork('varnet', {
  cascades: 3,
  channels: 4,
  pools: 2,
  sensitivity: { channels: 2, pools: 3 },
});
test.each(['', 'varnet.', 'module.model.'])('VarNet: sizes from shapes, behind the prefix "%s"', async (prefix) => {
  const shapes = shapesOf(varnet, prefix).set('loss.w', [1, 1, 7, 7]);
  expect((await importCheckpoint(await save(shapes))).network.config).toEqual(varnet.config);
  const single = createNetwork('varnet', { ...varnet.config, sensitivity: null });
  expect((await importCheckpoint(await save(shapesOf(single, prefix)))).network.config).toEqual(single.config);
});

const brokenVarnets: [string, RegExp, (shapes: Shapes) => void][] = [
  [
    'a step missing',
    /does not fit the VarNet.*missing are "cascades\.1\.dc_weight"$/,
    (shapes) => shapes.delete('cascades.1.dc_weight'),
  ],
  [
    'a map for every coil',
    /of another shape are "sens_net\.norm_unet\.unet\.up_conv\.2\.1\.bias" \[30\], not \[2\]/,
    (shapes) => shapes.set('sens_net.norm_unet.unet.up_conv.2.1.bias', [30]),
  ],
  ['two of them', /holds 2 VarNets/, (shapes) => shapes.set('ema.cascades.0.dc_weight', [1])],
];
test.each(brokenVarnets)('refuses a VarNet with %s', async (_, message, change) => {
  const shapes = shapesOf(varnet);
  change(shapes);
  await expect(importCheckpoint(await save(shapes))).rejects.toMatchObject({
    code: 'ERR_MODEL',
    message: expect.stringMatching(message),
  });
});
