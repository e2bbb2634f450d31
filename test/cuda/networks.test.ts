// `larmor recon` and `larmor train` with networks on CUDA devices beside the CPU; the reference plugin and a stand-in for ONNX Runtime's provider
// are the devices.
import { beforeAll, describe, expect, test } from 'vitest';
import { readImages } from '#larmor/io/image-file.js';
import { saveModel } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { trainOn } from '../support/commands-on-device.js';
import { relativeError } from '../support/graph-checks.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { networksOnCuda } from '../support/reference-plugin.js';
import { runCli } from '../support/run-cli.js';
import { writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const scan = file('scan.h5');
const SLICES = 4;
const NETWORKS = {
  unet: { channels: 2, pools: 1, residual: true },
  varnet: { cascades: 1, channels: 2, pools: 1, sensitivity: { channels: 2, pools: 1 } },
};
type Kind = keyof typeof NETWORKS;
/** Both compute in float32 and differ in the order of sums. */
const AGREEMENT = 1e-5;
/** Adam divides by the size of a gradient, which magnifies rounding where that is small. */
const ADAPTED_AGREEMENT = 1e-4;
const ADAPT = ['--adapt', '--adapt-iterations', '4'];

interface SliceRecord {
  readonly device: string;
  readonly warnings: readonly string[];
  readonly adaptation?: { readonly iterations: number };
}

interface Outcome {
  readonly device: string;
  readonly slices: readonly SliceRecord[];
  readonly image: Float32Array;
}

function argumentsOf(kind: Kind, device: string, output: string, more: readonly string[]): string[] {
  const sampling = ['--acceleration', '2', '--center-fraction', '0.4', '--maps-method', 'low-resolution'];
  const model = ['--model', file(`${kind}.safetensors`)];
  return ['recon', scan, '-o', output, '--device', device, ...model, ...sampling, '--threads', '1', '--json', ...more];
}

async function recon(
  kind: Kind,
  device: string,
  settings: NodeJS.ProcessEnv = {},
  more: readonly string[] = [],
): Promise<Outcome> {
  const output = file('images.h5');
  const env = await networksOnCuda(settings);
  const { exitCode, stdout, stderr } = await runCli(argumentsOf(kind, device, output, more), { env });
  expect(exitCode, stderr).toBe(0);
  return { ...JSON.parse(stdout), image: (await readImages(output)).data };
}

/** What comes of a reconstruction that must fail. */
async function failure(
  device: string,
  settings: NodeJS.ProcessEnv,
): Promise<{ exitCode: number | null; stderr: string }> {
  const env = await networksOnCuda(settings);
  return await runCli(argumentsOf('unet', device, file('none.h5'), []), { env });
}

const known = new Map<string, Promise<Outcome>>();

/** What the CPU makes of it, once for all tests. */
function onCpu(kind: Kind, more: readonly string[] = []): Promise<Outcome> {
  const key = [kind, ...more].join(' ');
  const outcome = known.get(key) ?? recon(kind, 'cpu', {}, more);
  known.set(key, outcome);
  return outcome;
}

const devicesOf = ({ slices }: Outcome): string[] => slices.map(({ device }) => device);
const TWO = { REFERENCE_DEVICES: '2' };
const OUT_OF_MEMORY = 'CUDA failure 2: out of memory ; GPU=0 ; expr=cudaMalloc((void**)&p, size);';
const ILLEGAL = 'CUDA failure 700: an illegal memory access was encountered ; GPU=0';
/** Makes every run of a device fail from the named one on; run 0 is loading a graph. */
const failingFrom = (device: number, run: number, message: string): NodeJS.ProcessEnv => ({
  STAND_IN_FAILURE: `${device}:${run}:${message}`,
});

beforeAll(async () => {
  await writeSyntheticScan(scan, { slices: SLICES, coils: 3, size: 16, noise: 1e-3 });
  for (const kind of ['unet', 'varnet'] as const) {
    const network = createNetwork(kind, NETWORKS[kind]);
    const weights = ParameterStore.initialise(network.parameters, 1);
    await saveModel(file(`${kind}.safetensors`), { network, weights, input: 'sense', notes: {} });
  }
});

describe.each(['unet', 'varnet'] as const)('%s', (kind) => {
  test('slices go over all devices, each recorded with its own, and are those of the CPU', async () => {
    const [cpu, cuda] = [await onCpu(kind), await recon(kind, 'cuda', TWO)];
    expect(new Set(devicesOf(cpu))).toEqual(new Set(['cpu']));
    expect(new Set(devicesOf(cuda))).toEqual(new Set(['cuda:0', 'cuda:1']));
    expect(relativeError(cuda.image, cpu.image)).toBeLessThan(AGREEMENT);
  });

  test('so do slices that the network adapts to', async () => {
    const [cpu, cuda] = [await onCpu(kind, ADAPT), await recon(kind, 'cuda', TWO, ADAPT)];
    expect(new Set(devicesOf(cuda))).toEqual(new Set(['cuda:0', 'cuda:1']));
    const iterations = ({ slices }: Outcome): unknown => slices.map(({ adaptation }) => adaptation?.iterations);
    expect(iterations(cuda)).toEqual(new Array(SLICES).fill(4));
    expect(iterations(cuda)).toEqual(iterations(cpu));
    expect(relativeError(cuda.image, cpu.image)).toBeLessThan(ADAPTED_AGREEMENT);
  });
});

test('one device of several is the only one at work', async () => {
  expect(devicesOf(await recon('unet', 'cuda:1', TWO))).toEqual(new Array(SLICES).fill('cuda:1'));
});

test('slices that go on from the one before stay on one device', async () => {
  const start = [...ADAPT, '--adapt-option', 'start=previous-slice'];
  const [cpu, cuda] = [await onCpu('unet', start), await recon('unet', 'cuda', TWO, start)];
  expect(devicesOf(cuda)).toEqual(new Array(SLICES).fill('cuda:0'));
  expect(relativeError(cuda.image, cpu.image)).toBeLessThan(ADAPTED_AGREEMENT);
});

test('larmor train gives the weights of the CPU', async () => {
  const [cpu, cuda] = [await trainOn('cpu', file), await trainOn('cuda', file, await networksOnCuda())];
  expect(cuda.json).toMatchObject({ device: 'cuda', steps: 4, stop: 'steps' });
  expect(relativeError(cuda.weights, cpu.weights)).toBeLessThan(ADAPTED_AGREEMENT);
});

describe.each([
  ['too little memory', 'ERR_OUT_OF_MEMORY', OUT_OF_MEMORY, /^computed on the CPU, .*out of memory/],
  ['a failure', 'ERR_DEVICE', ILLEGAL, /^computed on the CPU, .*illegal memory access/],
])('%s on the way', (_, code, message, warning) => {
  const failing = (device: number, run: number): NodeJS.ProcessEnv => failingFrom(device, run, message);

  test('is an error where the device was asked for', async () => {
    const { exitCode, stderr } = await failure('cuda', failing(0, 2));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(code)]);
  });

  test.each([0, 3])(
    'from run %d of the network on leaves the rest to the CPU where the choice was free',
    async (run) => {
      const got = await recon('unet', 'auto', failing(0, run));
      expect(got.device).toBe('cuda');
      const done = Math.max(0, run - 1);
      expect(devicesOf(got).filter((device) => device === 'cuda:0')).toHaveLength(done);
      for (const { device, warnings } of got.slices)
        expect(warnings.filter((text) => warning.test(text))).toHaveLength(device === 'cpu' ? 1 : 0);
      expect(relativeError(got.image, (await onCpu('unet')).image)).toBeLessThan(AGREEMENT);
    },
  );

  test('of one device of two leaves its slice to the CPU and the others to the other', async () => {
    const got = await recon('unet', 'auto', { ...TWO, ...failing(1, 1) });
    expect(devicesOf(got).filter((device) => device === 'cpu')).toHaveLength(1);
    expect(devicesOf(got).filter((device) => device === 'cuda:0')).toHaveLength(SLICES - 1);
    expect(relativeError(got.image, (await onCpu('unet')).image)).toBeLessThan(AGREEMENT);
  });
});

test.each([
  ['a slice', ADAPT],
  ['the volume', [...ADAPT, '--adapt-option', 'volumeIterations=3']],
])('the CPU adapts to %s from the start where the device ran out of memory on the way', async (_, adapt) => {
  const got = await recon('unet', 'auto', failingFrom(0, 3, OUT_OF_MEMORY), adapt);
  expect(devicesOf(got)).toEqual(new Array(SLICES).fill('cpu'));
  for (const { warnings } of got.slices)
    expect(warnings).toContainEqual(expect.stringMatching(/^computed on the CPU, .*out of memory/));
  expect(relativeError(got.image, (await onCpu('unet', adapt)).image)).toBeLessThan(AGREEMENT);
});
