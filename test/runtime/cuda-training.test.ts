// Training in the memory of a CUDA device, on the reference plugin and a stand-in for ONNX Runtime's provider, beside training on the CPU.
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { networksOnCuda } from '../support/reference-plugin.js';
import { runNode } from '../support/run-cli.js';

const program = resolve(import.meta.dirname, '../support/cuda-training.mjs');

/** Both sum in other orders, in float32 here and in double there. */
const TOLERANCE = 1e-5;

test('losses, gradients, weights and images are those of the CPU; nothing is left on the device', async () => {
  const { exitCode, stdout, stderr } = await runNode([program], { env: await networksOnCuda() });
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  const results: Record<string, { apart: Record<string, number>; again: number; norm: number; code: string }> =
    JSON.parse(stdout);
  expect(Object.keys(results)).toEqual(['unet all', 'unet decoder', 'unrolled all']);
  for (const [what, { apart, again, norm, code }] of Object.entries(results)) {
    for (const [which, error] of Object.entries(apart)) expect(error, `${what}: ${which}`).toBeLessThan(TOLERANCE);
    expect(again, `${what}: repeated from a snapshot`).toBe(0);
    expect(norm, `${what}: norm of the gradient`).toBeCloseTo(1, 4);
    expect(code).toBe('ERR_ARGUMENT');
  }
});
