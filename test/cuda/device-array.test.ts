// Device arrays, operators and solvers on the reference plugin, each in a process of its own, as a process opens CUDA once.
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { referenceCuda } from '../support/reference-plugin.js';
import { runNode } from '../support/run-cli.js';

const program = resolve(import.meta.dirname, '../support/cuda-program.mjs');

/** Numbers and words, by name: each part of the program has its own. */
// biome-ignore lint/suspicious/noExplicitAny: it comes out of JSON, and every use is an expectation
type Printed = any;

/** What a part of the program printed. */
async function run(part: string, settings: NodeJS.ProcessEnv = {}, flags: string[] = []): Promise<Printed> {
  const { exitCode, stdout, stderr } = await runNode([...flags, program, part], { env: await referenceCuda(settings) });
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return JSON.parse(stdout);
}

/** The plugin computes in double and rounds each result to float32; the CPU in float32 throughout, with 2e-7 rounding per transform. */
const AGREEMENT = 1e-6;

describe('operators', () => {
  test('agree with those of the CPU, and leave nothing behind', async () => {
    const { misfits, device, name, left, peakBytes } = await run('operators');
    expect(Object.keys(misfits)).toHaveLength(2 + 2 * 3 * 2);
    for (const [what, misfit] of Object.entries(misfits)) expect(misfit, what).toBeLessThan(AGREEMENT);
    expect(name).toBe('cuda:0');
    expect(device).toMatchObject({ name: 'Reference 0', major: 9, driverVersion: 13020, memoryTotal: 2 ** 40 });
    expect(left).toBe(0);
    expect(peakBytes).toBeGreaterThan(0);
  });
});

describe('solvers', () => {
  test('give the images of the CPU, slice by slice of a batch', async () => {
    const { rows, left } = await run('solvers');
    expect(rows).toHaveLength(12);
    for (const row of rows) {
      if ('consistent' in row) {
        expect(row.consistent).toBeLessThan(1e-5);
        expect(row.iterations).toBe(4);
        continue;
      }
      expect(row.misfit).toBeLessThan(1e-5);
      expect({ iterations: row.iterations, stop: row.stop }).toEqual(row.expected);
      expect(row.residual).toBeLessThanOrEqual(1e-4);
    }
    expect(rows[0].shape).toEqual([1, 12, 15]);
    expect(left).toBe(0);
  });
});

describe('coil maps', () => {
  test('agree with those of the CPU to where its power iteration ends', async () => {
    const { findings, expected, maps, eigenvalues, left } = await run('maps');
    expect(findings.kernel).toBe(expected.kernel);
    expect(findings.folded).toBe(expected.folded);
    expect(findings.unexplained).toBeCloseTo(expected.unexplained, 5);
    // Eigenvectors end at a residual of 1e-4, the error of their eigenvalues is its square; the reference goes on to the end.
    expect(maps).toBeLessThan(1e-3);
    expect(eigenvalues).toBeLessThan(1e-5);
    expect(left).toBe(0);
  });
});

describe('lifetime', () => {
  test('every misuse has a code, and what was queued before free() still runs', async () => {
    const { codes, freed, left } = await run('life', { REFERENCE_DEVICES: '2' });
    expect(codes).toEqual({
      'another context': 'ERR_ARGUMENT',
      'beyond the end': 'ERR_SHAPE',
      'not finite': 'ERR_NOT_FINITE',
      'no such shape': 'ERR_SHAPE',
      'real transform': 'ERR_SHAPE',
      'aborted before': 20, // DOMException.ABORT_ERR
      'freed under way': 'none',
      'after free': 'ERR_CLOSED',
      'transform after free': 'ERR_CLOSED',
      'after close': 'ERR_CLOSED',
      'array of a closed context': 'ERR_CLOSED',
    });
    expect(freed).toBe(true);
    expect(left).toBe(1); // that of "real transform", which was not freed
  });

  test.each(['open', 'with an array', 'at work', 'never'])('a process may end with a context %s', async (stage) => {
    const { exitCode, stderr } = await runNode([program, 'exit', stage], { env: await referenceCuda() });
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  test('arrays that nobody freed go with the garbage', async () => {
    const { before, left } = await run('garbage', {}, ['--expose-gc']);
    expect(before).toBeGreaterThan(0);
    expect(left).toBe(0);
  });

  test('running out of device memory has a code, frees everything, and less work still fits', async () => {
    // One problem of 12 x 15 with 3 coils takes about 16 kB for maps and k-space, 4 for the solution, 4 for the solver.
    const outcome = await run('outOfMemory', { REFERENCE_MEMORY: '24000' });
    expect(outcome).toMatchObject({ code: 'ERR_OUT_OF_MEMORY', leftThen: 0, single: 'none', left: 0 });
  });
});

describe('looking for CUDA', () => {
  test('tells devices that passed their self-test', async () => {
    const { state, all, second, resolved } = await run('probe', { REFERENCE_DEVICES: '3', REFERENCE_FAULTY: '1' });
    expect(state).toMatchObject({ failed: '', devices: 3, path: expect.stringMatching(/liblarmor_cuda\.so$/) });
    expect(all).toMatchObject({ available: true, indices: [0, 2] });
    expect(all.description).toBe('2 devices, Reference 0, 1024.0 GiB, compute capability 9.0');
    expect(resolved).toMatchObject({
      indices: [0, 2],
      reason: 'asked for; without cuda:1: self-test: fft2 is wrong by 1.0',
    });
    expect(second).toEqual({ available: false, reason: 'cuda:1: self-test: fft2 is wrong by 1.0' });
  });

  const failures: [string, NodeJS.ProcessEnv, string, RegExp][] = [
    ['no driver', { LD_LIBRARY_PATH: '' }, 'driver', /no NVIDIA driver: libcuda\.so\.1/],
    ['no plugin', { LARMOR_CUDA_PLUGIN: '/nowhere/plugin.so' }, 'plugin', /no CUDA plugin at \/nowhere\/plugin\.so$/],
    ['a library that is no plugin', { LARMOR_CUDA_PLUGIN: 'libc' }, 'plugin', /does not export larmor_cuda_table/],
    ['a plugin of another version', { REFERENCE_ABI: '99' }, 'version', /has version 99 .* this addon needs/],
    ['no device', { REFERENCE_DEVICES: '0' }, 'devices', /no CUDA device/],
    ['devices that cannot be used', { REFERENCE_DEVICES: '-1' }, 'devices', /reference: the driver is too old/],
  ];
  test.each(failures)('says why there is none: %s', async (_, settings, failed, reason) => {
    const driver = (await referenceCuda()).LD_LIBRARY_PATH;
    const plugin = settings.LARMOR_CUDA_PLUGIN === 'libc' ? { LARMOR_CUDA_PLUGIN: `${driver}/libcuda.so.1` } : {};
    const { state, all, open } = await run('probe', { ...settings, ...plugin });
    expect(state.failed).toBe(failed);
    expect(state.reason).toMatch(reason);
    expect(state.remedy).toMatch(/npm run build:cuda|nvidia-smi/);
    expect(all).toEqual({ available: false, reason: state.reason, remedy: state.remedy });
    expect(open).toBe('ERR_DEVICE');
  });
});
