// What ONNX Runtime's CUDA provider is asked for, and what is said where it is missing.
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { cudaProviderFault, cudaProviderOptions } from '#larmor/runtime/cuda-provider.js';
import { runtimeLibrary } from '#larmor/runtime/library.js';
import { runNode } from '../support/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'larmor-provider-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe('options', () => {
  test('give the precision of float32 and the same algorithms in every run unless asked otherwise', () => {
    expect(cudaProviderOptions(1)).toEqual({
      device_id: '1',
      use_tf32: '0',
      cudnn_conv_algo_search: 'HEURISTIC',
      cudnn_conv_use_max_workspace: '1',
      arena_extend_strategy: 'kSameAsRequested',
    });
    const asked = { tf32: true, convolution: 'exhaustive', convolutionWorkspace: false, memoryLimit: 2 ** 30 } as const;
    expect(cudaProviderOptions(0, asked)).toMatchObject({
      use_tf32: '1',
      cudnn_conv_algo_search: 'EXHAUSTIVE',
      cudnn_conv_use_max_workspace: '0',
      gpu_mem_limit: '1073741824',
    });
  });

  test.each([{ convolution: 'fastest' }, { memoryLimit: 0 }, { memoryLimit: 1.5 }])('refuse %j', (options) => {
    expect(() => cudaProviderOptions(0, options as never)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });
});

describe('the fault', () => {
  test('of files that are missing names them, their folder and the command that brings them', async () => {
    const fault = await cudaProviderFault(0);
    if (fault === undefined) return; // here the provider is installed
    const library = dirname(runtimeLibrary());
    expect(fault.reason).toBe(
      `ONNX Runtime's CUDA provider is not installed: no libonnxruntime_providers_shared.so and no libonnxruntime_providers_cuda.so in ${library}`,
    );
    expect(fault.remedy).toMatch(
      /^node .*onnxruntime-node.script.install\.js --onnxruntime-node-install=cuda12 .* LARMOR_ONNXRUNTIME_CUDA/,
    );
  });

  test('of files that do not load is what the library says of them', async () => {
    symlinkSync(runtimeLibrary(), join(folder, 'libonnxruntime.so.1'));
    for (const name of ['shared', 'cuda'])
      writeFileSync(join(folder, `libonnxruntime_providers_${name}.so`), 'no library');
    const module = resolve(import.meta.dirname, '../../dist/runtime/cuda-provider.js');
    const script = `const { cudaProviderFault } = await import(${JSON.stringify(module)}); console.log(JSON.stringify(await cudaProviderFault(0)))`;
    const env = { ...process.env, LARMOR_ONNXRUNTIME_CUDA: join(folder, 'libonnxruntime_providers_cuda.so') };
    const { stdout } = await runNode(['--input-type=module', '-e', script], { env });
    const fault = JSON.parse(stdout);
    expect(fault.reason).toMatch(
      /^ONNX Runtime's CUDA provider: Failed to load library .*libonnxruntime_providers_shared\.so.*(too short|invalid ELF)/,
    );
    expect(fault.remedy).toMatch(/cuDNN 9.*LD_LIBRARY_PATH/);
  });
});

describe('a provider named by the user', () => {
  test('works with the library beside it, and says so where there is none', () => {
    const other = mkdtempSync(join(folder, 'other-'));
    vi.stubEnv('LARMOR_ONNXRUNTIME_CUDA', other);
    expect(() => runtimeLibrary()).toThrow(
      expect.objectContaining({ code: 'ERR_RUNTIME_MISSING', message: expect.stringContaining(other) }),
    );
    copyFileSync(import.meta.filename, join(other, 'libonnxruntime.so.1'));
    expect(runtimeLibrary()).toBe(join(other, 'libonnxruntime.so.1'));
    vi.stubEnv('LARMOR_ONNXRUNTIME_CUDA', join(other, 'libonnxruntime_providers_cuda.so'));
    expect(runtimeLibrary()).toBe(join(other, 'libonnxruntime.so.1'));
    vi.stubEnv('LARMOR_ONNXRUNTIME', '/elsewhere.so');
    expect(runtimeLibrary()).toBe('/elsewhere.so');
  });
});
