// Adaptation on a CUDA device, which the reference plugin and a stand-in for ONNX Runtime's provider are, beside the CPU; and where it fails.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { serialize } from 'node:v8';
import { beforeAll, describe, expect, test } from 'vitest';
import { relativeError } from '../support/graph-checks.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { networksOnCuda } from '../support/reference-plugin.js';
import { runNode } from '../support/run-cli.js';
import { simulatedSlices } from '../support/simulated-slices.js';

const program = resolve(import.meta.dirname, '../support/cuda-adaptation.mjs');

const file = temporaryFolder();
const slices = file('slices');
beforeAll(async () => {
  writeFileSync(slices, serialize(await simulatedSlices({ size: 16, coils: 3, count: 2 })));
});

interface Adapted {
  readonly image: readonly number[];
  readonly unadapted: readonly number[];
  readonly weights: readonly number[];
  readonly curve: readonly number[];
  readonly ends: object;
}

async function run(args: readonly string[], settings?: NodeJS.ProcessEnv): Promise<unknown> {
  const { exitCode, stdout, stderr } = await runNode([program, slices, ...args], {
    env: await networksOnCuda(settings),
  });
  expect([exitCode, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

/** Both compute in float32 and differ in the order of sums. */
const AGREEMENT = 1e-5;
/** Adam divides by the size of a gradient, which magnifies rounding where that is small. */
const ADAPTED_AGREEMENT = 1e-4;

test.each([
  ['unet', {}],
  ['unet', { average: false, parameters: 'norm' }],
  ['unet', { loss: { samples: 'disjoint' } }],
  ['unrolled', {}],
  ['unrolled', { parameters: { lowRank: 1 }, recompute: true }],
])('%s %j: two slices, one after the other', async (kind, options) => {
  const both = await run(['both', kind, JSON.stringify(options)]);
  const { cpu, cuda } = both as { cpu: Adapted[]; cuda: Adapted[] };
  for (const [i, want] of cpu.entries()) {
    const got = cuda[i];
    expect(got.ends).toEqual(want.ends);
    expect(relativeError(got.unadapted, want.unadapted)).toBeLessThan(AGREEMENT);
    for (const what of ['curve', 'weights', 'image'] as const)
      expect(relativeError(got[what], want[what]), what).toBeLessThan(ADAPTED_AGREEMENT);
    expect(relativeError(want.image, want.unadapted)).toBeGreaterThan(100 * ADAPTED_AGREEMENT); // it did adapt
  }
});

describe('a failure of the device', () => {
  test.each([
    ['CUDA failure 2: out of memory ; GPU=0 ; expr=cudaMalloc((void**)&p, size);', 'ERR_OUT_OF_MEMORY'],
    ['CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; expr=cublasCreate(&handle)', 'ERR_OUT_OF_MEMORY'],
    ['BFCArena: Available memory of 0 is smaller than requested bytes of 2048', 'ERR_OUT_OF_MEMORY'],
    ['CUDA failure 700: an illegal memory access was encountered ; GPU=0', 'ERR_DEVICE'],
  ])('%s: %s, with everything freed', async (message, code) => {
    for (const first of [0, 1, 4]) {
      const failures = (await run(['failing'], { STAND_IN_FAILURE: `0:${first}:${message}` })) as Record<
        string,
        object
      >;
      const expected = { code, message: expect.stringContaining(message), left: 0 };
      expect(failures).toEqual({ adapt: expected, predict: expected });
    }
  });
});
