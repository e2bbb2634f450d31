import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '#larmor/cli/commands.js';
import { runtimeLibrary } from '#larmor/runtime/library.js';
import { networksOnCuda, referenceCuda } from '../support/reference-plugin.js';
import { runCli, runNode } from '../support/run-cli.js';

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'));

test('--version prints the version of the package', async () => {
  expect(await runCli(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
});

test('--help names every command', async () => {
  const { exitCode, stdout } = await runCli(['--help']);
  expect(exitCode).toBe(0);
  for (const name of Object.keys(commands)) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
});

test.each([[[]], [['recno']], [['doctor', '--colour']], [['doctor', 'extra']]])(
  'wrong usage %j exits 2',
  async (args) => {
    const { exitCode, stdout, stderr } = await runCli(args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).not.toBe('');
  },
);

describe.each(Object.keys(commands))('larmor %s', (name) => {
  test('explains itself', async () => {
    const { exitCode, stdout } = await runCli([name, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: larmor ${name} `));
    expect(stdout).toContain('--json');
  });

  test('reports wrong usage as one JSON document, with exit 2', async () => {
    const { exitCode, stdout } = await runCli([name, '--json', '--no-such-option']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringMatching(/./) });
  });
});

describe('doctor', () => {
  test('finds everything needed in a working installation', async () => {
    const { exitCode, stdout } = await runCli(['doctor', '--json']);
    const report = JSON.parse(stdout);
    expect([exitCode, report.ok]).toEqual([0, true]);
    const found = report.checks.filter(({ ok }: { ok: boolean }) => ok).map(({ name }: { name: string }) => name);
    expect(found).toEqual(expect.arrayContaining(['Node', 'native addon', 'ONNX Runtime', 'HDF5 reader']));
  });

  test('lists CUDA devices with what is wrong with them', async () => {
    const env = await referenceCuda({ REFERENCE_DEVICES: '2', REFERENCE_FAULTY: '1' });
    const { exitCode, stdout } = await runCli(['doctor', '--json'], { env });
    const report = JSON.parse(stdout);
    expect([exitCode, report.ok]).toEqual([0, true]);
    const named = (name: string) => report.checks.find((check: { name: string }) => check.name === name);
    expect(named('device cuda')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^plugin .*liblarmor_cuda\.so, 2 devices$/),
    });
    expect(named('device cuda:0')).toMatchObject({
      ok: true,
      detail:
        'Reference 0, 1024.0 GiB, compute capability 9.0, 1024.0 GiB free, driver for CUDA 13.2, cuFFT 11.3, self-test passed',
    });
    expect(named('device cuda:1')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('fft2 is wrong by 1.0'),
    });
  });

  test('says which sizes need the cuFFT that is not there', async () => {
    const env = await referenceCuda({ REFERENCE_CUFFT: '0', LARMOR_CUFFT: '/nowhere/cufft.so' });
    const { checks } = JSON.parse((await runCli(['doctor', '--json'], { env })).stdout);
    expect(checks).toContainEqual(
      expect.objectContaining({
        name: 'device cuda:0',
        ok: true,
        detail: expect.stringContaining(
          'no cuFFT (LARMOR_CUFFT is /nowhere/cufft.so), without which sizes above 4096 or with a prime factor above 31 fail',
        ),
      }),
    );
  });

  test('says what to type where there is a GPU but no plugin', async () => {
    const env = await referenceCuda({ LARMOR_CUDA_PLUGIN: '/nowhere/plugin.so' });
    const { exitCode, stdout } = await runCli(['doctor'], { env });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^- +device cuda +no CUDA plugin at \/nowhere\/plugin\.so$/m);
    expect(stdout).toMatch(/^device cuda: npm run build:cuda /m);
  });

  test.each([
    [
      'device cuda',
      { LARMOR_CUDA_PLUGIN: '/nowhere/plugin.so' },
      /unset LARMOR_CUDA_PLUGIN, which is \/nowhere\/plugin\.so/,
    ],
    ['networks on webgpu', { VK_DRIVER_FILES: '/nowhere.json' }, /install a Vulkan driver/],
    ['ONNX Runtime', { LARMOR_ONNXRUNTIME: '/nowhere/ort.so' }, /^unset LARMOR_ONNXRUNTIME, which is \/nowhere/],
  ])('%s: a variable that names nothing of use is named itself', async (device, variables, wanted) => {
    const { checks } = JSON.parse((await runCli(['doctor', '--json'], { env: await referenceCuda(variables) })).stdout);
    const { ok, detail, remedy } = checks.find(({ name }: { name: string }) => name === device);
    expect([ok, `${detail} ${remedy}`]).toEqual([
      false,
      expect.stringContaining(Object.values(variables).at(-1) ?? ''),
    ]);
    expect(remedy).toMatch(wanted);
  });

  describe("without ONNX Runtime's CUDA provider", () => {
    const folder = dirname(runtimeLibrary());
    const files = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
    const installed = files.every((name) => existsSync(join(folder, name)));
    const missing = `ONNX Runtime's CUDA provider is not installed: no ${files.join(' and no ')} in ${folder}`;

    test.skipIf(installed).each([
      ['with a GPU', {}],
      ['without one', { LD_LIBRARY_PATH: '' }],
    ])('says which files are missing and which command brings them, %s', async (_, without) => {
      const env = { ...(await referenceCuda()), ...without };
      const { checks } = JSON.parse((await runCli(['doctor', '--json'], { env })).stdout);
      const { ok, detail, remedy } = checks.find(({ name }: { name: string }) => name === 'networks on cuda');
      expect([ok, detail]).toEqual([false, missing]);
      const [, script] = /^node (\S+) --onnxruntime-node-install=cuda12 /.exec(remedy) ?? [];
      expect(existsSync(script)).toBe(true);
      const { stdout } = await runCli(['doctor'], { env });
      expect(stdout).toMatch(/^- +networks on cuda +ONNX Runtime's CUDA provider is not installed/m);
      expect(stdout).toContain(`\nnetworks on cuda: ${remedy}\n`);
    });

    test.skipIf(installed)('the error of a session says the same', async () => {
      const env = await referenceCuda();
      const { checks } = JSON.parse((await runCli(['doctor', '--json'], { env })).stdout);
      const { remedy } = checks.find(({ name }: { name: string }) => name === 'networks on cuda');
      const module = JSON.stringify(resolve(import.meta.dirname, '../../dist/runtime/session.js'));
      const script = `const { createSession } = await import(${module});
        await createSession(new Uint8Array(1), { device: 'cuda' }).catch((e) => console.log(e.code, e.message));`;
      const { stdout } = await runNode(['--input-type=module', '-e', script], { env });
      expect(stdout).toBe(
        `ERR_DEVICE createSession: device cuda is not available: ${missing}. To mend it: ${remedy}. Use "cpu" or "auto".\n`,
      );
    });
  });

  test('says that networks run on CUDA where the provider loads', async () => {
    const env = await networksOnCuda();
    const { checks } = JSON.parse((await runCli(['doctor', '--json'], { env })).stdout);
    expect(checks).toContainEqual(
      expect.objectContaining({ name: 'networks on cuda', ok: true, detail: expect.stringContaining('Reference 0') }),
    );
  });

  test('names what is missing and what to type, and exits 1', async () => {
    // The loader then looks in prebuilds/ alone, for a package that is not there.
    const env = { ...process.env, PREBUILDS_ONLY: '1', npm_config_arch: 'none' };
    const { exitCode, stdout } = await runCli(['doctor'], { env });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^MISSING {2}native addon /m);
    expect(stdout).toContain('native addon: npm run build:native');
  });
});
