// `larmor recon` on CUDA devices, which the reference plugin stands for, beside the CPU.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readImages } from '#larmor/io/image-file.js';
import { referenceCuda } from '../support/reference-plugin.js';
import { runCli } from '../support/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'larmor-cuda-'));
const scan = join(folder, 'scan.h5');
const SLICES = 6;
/** Solved to this residual, both images are as close to the exact one; the sum is below the agreement asked for. */
const TOLERANCE = 1e-6;
const AGREEMENT = 1e-5;

interface Outcome {
  readonly json: { device: string; deviceReason: string; slices: { device: string; warnings: string[] }[] };
  readonly image: Float32Array;
}

/** Of maps that no device helps to make, so that images may agree to the solver's accuracy. */
const MAPS = ['--maps-method', 'low-resolution'];

/** Reconstructs the scan, in a process that has these devices. */
async function recon(device: string, settings: NodeJS.ProcessEnv, more: readonly string[] = MAPS): Promise<Outcome> {
  const output = join(folder, `${device.replace(':', '-')}.h5`);
  const sampling = ['--acceleration', '2', '--center-fraction', '0.4'];
  const solver = ['--iterations', '60', '--tolerance', String(TOLERANCE)];
  const args = [
    'recon',
    scan,
    '-o',
    output,
    '--device',
    device,
    ...sampling,
    ...solver,
    '--json',
    '--threads',
    '1',
    ...more,
  ];
  const { exitCode, stdout, stderr } = await runCli(args, { env: await referenceCuda(settings) });
  expect(exitCode, stderr).toBe(0);
  return { json: JSON.parse(stdout), image: (await readImages(output)).data };
}

/** ||a - b|| / ||b||. */
function misfit(a: Float32Array, b: Float32Array): number {
  const norm = (values: Float32Array): number => Math.hypot(...values);
  return norm(a.map((value, i) => value - b[i])) / norm(b);
}

let truth: Outcome;

beforeAll(async () => {
  const size = ['--phantom', 'head', '--size', '24', '--coils', '4', '--slices', `0:${SLICES}`];
  const { exitCode, stderr } = await runCli(['simulate', ...size, '-o', scan]);
  expect(exitCode, stderr).toBe(0);
  truth = await recon('cpu', {});
});
afterAll(() => rmSync(folder, { recursive: true }));

test('CG-SENSE gives the image of the CPU', async () => {
  const { json, image } = await recon('cuda', {});
  expect(json).toMatchObject({ device: 'cuda', deviceReason: 'asked for' });
  expect(json.slices.map(({ device }) => device)).toEqual(new Array(SLICES).fill('cuda:0'));
  expect(misfit(image, truth.image)).toBeLessThan(AGREEMENT);
});

test('ESPIRiT with the help of a device changes the image by no more than its power iteration leaves open', async () => {
  const [cuda, cpu] = [await recon('cuda', {}, []), await recon('cpu', {}, [])];
  expect(misfit(cuda.image, cpu.image)).toBeLessThan(1e-3);
  expect(cuda.json.slices.map(({ device }) => device)).toEqual(new Array(SLICES).fill('cuda:0'));
});

test('auto takes the devices that passed their self-test, and spreads slices over them', async () => {
  const { json, image } = await recon('auto', { REFERENCE_DEVICES: '3', REFERENCE_FAULTY: '0' });
  expect(json.device).toBe('cuda');
  expect(json.deviceReason).toMatch(/^the fastest here: 2 devices, Reference 1, /);
  expect(new Set(json.slices.map(({ device }) => device))).toEqual(new Set(['cuda:1', 'cuda:2']));
  expect(misfit(image, truth.image)).toBeLessThan(AGREEMENT);
});

test('one device of several is the only one at work', async () => {
  const { json } = await recon('cuda:1', { REFERENCE_DEVICES: '2' });
  expect(json.device).toBe('cuda:1');
  expect(json.slices.map(({ device }) => device)).toEqual(new Array(SLICES).fill('cuda:1'));
});

test('a device without the method, or that is not there, is refused with the reason', async () => {
  const args = (...more: string[]): string[] => ['recon', scan, '-o', join(folder, 'none.h5'), ...more];
  const env = await referenceCuda();
  const grappa = await runCli(args('--device', 'cuda', '--method', 'grappa'), { env });
  expect([grappa.exitCode, grappa.stderr]).toEqual([1, expect.stringContaining('method grappa runs on cpu only')]);
  const second = await runCli(args('--device', 'cuda:1'), { env });
  expect([second.exitCode, second.stderr]).toEqual([1, expect.stringContaining('the only CUDA device here is cuda:0')]);
  const none = await runCli(args('--device', 'cuda'), { env: { ...env, LD_LIBRARY_PATH: '' } });
  expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining('no NVIDIA driver')]);
  const unknown = await runCli(args('--device', 'cuda:x'), { env });
  expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('cuda:N')]);
});

test('auto says why a method stays on the CPU', async () => {
  const { json } = await recon('auto', {}, ['--method', 'l1-wavelet', ...MAPS]);
  expect(json.device).toBe('cpu');
  expect(json.deviceReason).toContain('cuda: method l1-wavelet does not run there');
});

describe('too little device memory', () => {
  // A slice of 24 x 24 with 4 coils takes 37 kB for maps and k-space, 9 for b and x, 14 for the solver.
  const ONE_SLICE = '80000';
  const NONE = '30000';

  test('for a batch: smaller batches', async () => {
    const { json, image } = await recon('cuda', { REFERENCE_MEMORY: ONE_SLICE });
    expect(json.slices.map(({ device }) => device)).toEqual(new Array(SLICES).fill('cuda:0'));
    expect(json.slices.flatMap(({ warnings }) => warnings)).toEqual(
      truth.json.slices.flatMap(({ warnings }) => warnings),
    );
    expect(misfit(image, truth.image)).toBeLessThan(AGREEMENT);
  });

  test('for one slice: the CPU where the choice was free, an error where it was not', async () => {
    const { json, image } = await recon('auto', { REFERENCE_MEMORY: NONE });
    expect(json.slices.map(({ device }) => device)).toEqual(new Array(SLICES).fill('cpu'));
    for (const { warnings } of json.slices)
      expect(warnings).toContainEqual(expect.stringMatching(/^computed on the CPU, .*out of memory/));
    expect(misfit(image, truth.image)).toBe(0);
    const args = ['recon', scan, '-o', join(folder, 'none.h5'), '--device', 'cuda'];
    const { exitCode, stderr } = await runCli(args, { env: await referenceCuda({ REFERENCE_MEMORY: NONE }) });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('ERR_OUT_OF_MEMORY')]);
  });
});
