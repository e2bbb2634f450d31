// `larmor recon` and `larmor train` of a tiny network on a device, through the command line: what they write, to be compared with the CPU's.
import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { readImages } from '#larmor/io/image-file.js';
import { loadModel, saveModel } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { runCli } from './run-cli.js';
import { writeSyntheticScan } from './scans.js';

const NETWORK = { channels: 2, pools: 1, residual: true } as const;
const phantom = { source: 'phantom', families: ['limb'], subjects: 2, size: 24, coils: 3 };
const TRAINING = {
  network: { kind: 'unet', ...NETWORK },
  training: phantom,
  validation: { ...phantom, subjects: 1, seed: 1 },
  undersampling: { acceleration: 2, centerFraction: 0.3 },
  steps: 4,
  validateEvery: 2,
  pictures: 0,
};

/** Names a file of the test's folder. */
type FileNamer = (name: string) => string;

async function larmor(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await runCli([...args, '--threads', '1', '--json'], { env });
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Adapts the network to the one slice of a scan. */
export async function adaptOn(
  device: string,
  file: FileNamer,
  env = process.env,
): Promise<{ readonly json: Record<string, unknown>; readonly image: Float32Array }> {
  const [scan, model, output] = [file('scan.h5'), file('model.safetensors'), file(`${device}.h5`)];
  await writeSyntheticScan(scan, { slices: 1, coils: 3, size: 16, noise: 1e-3 });
  const network = createNetwork('unet', NETWORK);
  await saveModel(model, {
    network,
    weights: ParameterStore.initialise(network.parameters, 1),
    input: 'sense',
    notes: {},
  });
  const sampling = ['--acceleration', '2', '--center-fraction', '0.4', '--maps-method', 'low-resolution'];
  // The last weights count, so that the image shows whether they were trained.
  const fields = ['keep=last', 'average=false', 'learningRate=0.01', 'warmUp=0'].flatMap((field) => [
    '--adapt-option',
    field,
  ]);
  const adapting = ['--adapt', '--adapt-iterations', '3', ...fields];
  const args = ['recon', scan, '-o', output, '--model', model, '--device', device, ...sampling, ...adapting];
  return { json: await larmor(args, env), image: (await readImages(output)).data };
}

/** Trains a network for a few steps. */
export async function trainOn(
  device: string,
  file: FileNamer,
  env = process.env,
): Promise<{ readonly json: Record<string, unknown>; readonly weights: Float32Array }> {
  const [config, output] = [file('config.json'), file(`${device}.safetensors`)];
  writeFileSync(config, JSON.stringify(TRAINING));
  const json = await larmor(['train', config, '-o', output, '--device', device], env);
  return { json, weights: (await loadModel(output)).weights.data };
}
