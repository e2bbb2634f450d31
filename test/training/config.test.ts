// Training configurations and `larmor train`.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadModel, saveModel } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import {
  parseTrainingConfig,
  readTrainingConfig,
  runDigest,
  startingPoint,
  trainingPlan,
} from '#larmor/training/config.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';

const phantom = { source: 'phantom', families: ['limb'], subjects: 2, size: 32, coils: 3 };
const config = {
  network: { kind: 'unet', channels: 2, pools: 2, residual: true },
  training: phantom,
  validation: { ...phantom, seed: 1 },
  undersampling: { acceleration: 3, centerFraction: 0.25 },
  steps: 4,
  validateEvery: 2,
};
const file = temporaryFolder();

async function stored(name: string, value: unknown): Promise<string> {
  await writeFile(file(name), typeof value === 'string' ? value : JSON.stringify(value));
  return file(name);
}

test('fills in the recipe', () => {
  expect(parseTrainingConfig({ training: phantom, steps: 10 })).toMatchObject({
    network: { kind: 'unet' },
    input: 'sense',
    loss: 'joint',
    schedule: 'cosine',
    optimiser: { learningRate: 1e-3 },
    undersampling: { type: 'random', acceleration: 4, centerFraction: 0.08, fixed: false },
  });
});

test('the configurations of the documentation are valid', async () => {
  const pages = await Promise.all(
    ['training', 'self-supervision'].map((name) =>
      readFile(resolve(import.meta.dirname, `../../docs/${name}.md`), 'utf8'),
    ),
  );
  const blocks = [...pages.join('').matchAll(/```json\n(.*?)```/gs)].map(([, block]) => JSON.parse(block) as unknown);
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) parseTrainingConfig(block, 'docs');
});

test('the digest of a run does not depend on where its results go', () => {
  const digest = (extra: object): string => runDigest(parseTrainingConfig({ ...config, ...extra }));
  expect(digest({ output: 'a', checkpointEvery: 3 })).toBe(digest({ output: 'b' }));
  expect(digest({ seed: 1 })).not.toBe(digest({ seed: 2 }));
});

test('a loss has a name or is spelt out', () => {
  const plan = (loss: unknown): unknown => trainingPlan(parseTrainingConfig({ ...config, loss })).loss;
  expect(plan('supervised-kspace')).toEqual({ supervised: { on: 'kspace', norm: 'l1-l2' } });
  const own = { ssim: { weight: 0.1 }, self: { norm: 'l1-l2', weight: 2 } };
  expect(plan(own)).toEqual(own);
});

describe('rejects', () => {
  test.each([
    ['no steps', { training: phantom }, /steps: /],
    ['an unknown field', { ...config, epochs: 3 }, /epochs/],
    ['a model and a network', { ...config, start: 'unet-small' }, /"start" brings its own network/],
    ['an unknown loss', { ...config, loss: 'l3' }, /loss: .*joint-ssim/],
    ['a loss without terms', { ...config, loss: {} }, /loss: wants a term/],
    ['an unknown norm', { ...config, loss: { self: { norm: 'l3' } } }, /loss.self.norm: /],
    ['an unknown source', { ...config, training: { source: 'web' } }, /training.source: /],
    ['no acceleration', { ...config, undersampling: { acceleration: 0.5 } }, /undersampling.acceleration: /],
    ['an unknown anatomy', { ...config, training: { ...phantom, families: ['tail'] } }, /training.families.0: /],
  ])('%s', (_, value, message) => {
    expect(() => parseTrainingConfig(value)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringMatching(message) }),
    );
  });

  test('a file that is missing or not JSON', async () => {
    await expect(readTrainingConfig(file('none.json'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
    await expect(readTrainingConfig(await stored('broken.json', '{'))).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  });
});

describe('larmor train', () => {
  test('writes a model that loads, and says how good it is', async () => {
    const path = await stored('config.json', config);
    const output = file('model.safetensors');
    const { exitCode, stdout } = await runCli(['train', path, '-o', output, '--threads', '1', '--json']);
    expect(exitCode).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ output, network: 'unet', steps: 4, stop: 'steps' });
    expect(document.validations).toHaveLength(2);
    const model = await loadModel(output);
    expect(model.network.config).toMatchObject({ channels: 2, pools: 2, residual: true });
    expect(JSON.parse(model.notes['training.config'])).toMatchObject({ steps: 4, loss: 'joint' });
    expect(model.weights.data.length).toBeGreaterThan(document.parameters);
    await expect(readFile(`${output}.checkpoint`)).rejects.toThrow('ENOENT');
    const pictures = await readdir(`${output}.report`);
    for (const name of ['report.html', 'step-000002-slice-000.png', 'step-000004-slice-001.png'])
      expect(pictures).toContain(name);
    const page = await readFile(`${output}.report/report.html`, 'utf8');
    for (const text of ['step 4 of 4', 'gradient norm', 'Zero-filled', 'Network', 'Reference'])
      expect(page).toContain(text);
  });

  test('refuses a model that was trained to see another input', async () => {
    const { network: _network, ...rest } = config;
    const first = file('split-rss.safetensors');
    const network = createNetwork('unet', { channels: 2, pools: 1 });
    const weights = ParameterStore.initialise(network.parameters, 3);
    await saveModel(first, { network, weights, input: 'split-rss', notes: {} });
    const started = { ...rest, start: first };
    await expect(startingPoint(parseTrainingConfig(started))).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(/trained to see split-rss, the configuration gives it sense/),
    });
    const fitting = await startingPoint(parseTrainingConfig({ ...started, input: 'split-rss' }));
    expect(fitting.weights?.data).toEqual(weights.data);
  });

  test('goes on from a model', async () => {
    const { network: _network, ...rest } = config;
    const first = file('first.safetensors');
    const network = createNetwork('unet', { channels: 2, pools: 1, residual: true });
    const weights = ParameterStore.initialise(network.parameters, 3);
    await saveModel(first, { network, weights, input: 'sense', notes: {} });
    const path = await stored('config.json', { ...rest, start: first, optimiser: { learningRate: 1e-6 } });
    const output = file('second.safetensors');
    expect((await runCli(['train', path, '-o', output, '--threads', '1'])).exitCode).toBe(0);
    const model = await loadModel(output);
    expect(model.network.config).toEqual(network.config);
    expect(model.weights.data).not.toEqual(weights.data);
    // Adam moves each weight by at most about the learning rate a step.
    expect(Math.max(...model.weights.data.map((w, i) => Math.abs(w - weights.data[i])))).toBeLessThan(1e-5);
  });

  test('training that diverges leaves the best weights beside the model it does not write', async () => {
    const { network: _network, ...rest } = config;
    const network = createNetwork('unet', { channels: 2, pools: 1, residual: true });
    const weights = ParameterStore.initialise(network.parameters, 3);
    // The last convolution's sums of squares overflow.
    weights.get('up_conv.0.1.weight').fill(1e38);
    const start = file('large.safetensors');
    await saveModel(start, { network, weights, input: 'sense', notes: {} });
    const output = file('diverging.safetensors');
    const path = await stored('config.json', { ...rest, start });
    const { exitCode, stdout, stderr } = await runCli(['train', path, '-o', output, '--threads', '1', '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/diverged at step 1/),
    });
    expect(stderr).toMatch(/diverging\.best\.safetensors holds the best weights/);
    expect((await loadModel(file('diverging.best.safetensors'))).weights.data).toEqual(weights.data);
    await expect(readFile(output)).rejects.toThrow('ENOENT');
  });

  test('a wrong configuration ends with status 2 and writes nothing', async () => {
    const path = await stored('wrong.json', { ...config, network: { kind: 'unet', depth: 3 } });
    const output = file('wrong.safetensors');
    const { exitCode, stdout } = await runCli(['train', path, '-o', output, '--json']);
    expect(exitCode).toBeGreaterThan(0);
    expect(JSON.parse(stdout).error.message).toMatch(/depth/);
    await expect(readFile(output)).rejects.toThrow('ENOENT');
  });
});

test('a network with the measurement inside is refused another image before any data are read', async () => {
  const wrong = parseTrainingConfig({ network: { kind: 'unrolled' }, input: 'split-rss', training: phantom, steps: 1 });
  await expect(startingPoint(wrong)).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringMatching(/train: input of network unrolled must be "sense".*got "split-rss"/),
  });
});
