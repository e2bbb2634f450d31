// l1-wavelet and locally-low-rank as methods: better than what needs no prior, the same twice and for any thread count, and abortable.
import { describe, expect, test } from 'vitest';
import { openScan } from '#larmor/io/scan.js';
import { fastmriLambda } from '#larmor/reconstruction/contrast.js';
import type { ReconstructionOptions } from '#larmor/reconstruction/options.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { sameBits } from '../support/bits.js';
import { describeShared, shared } from '../support/shared.js';

const undersample = { type: 'random', acceleration: 3, centerFraction: 0.08, seed: 1 } as const;

async function run(options: ReconstructionOptions) {
  await using scan = await openScan(shared('data/brain_pd_8ch.h5'));
  return await reconstruct(scan, { undersample, ...options });
}

describeShared('on a real scan, random mask at 3-fold acceleration', () => {
  test('both beat zero filling, and l1-wavelet beats CG-SENSE', async () => {
    const nmse = async (options: ReconstructionOptions): Promise<number> => {
      const { metrics } = await run(options);
      return metrics?.nmse ?? Number.NaN;
    };
    const zeroFilled = await nmse({ method: 'zero-filled' });
    expect(await nmse({ method: 'l1-wavelet', iterations: 60 })).toBeLessThan(
      0.7 * (await nmse({ method: 'cg-sense' })),
    );
    expect(await nmse({ method: 'locally-low-rank', iterations: 40 })).toBeLessThan(0.5 * zeroFilled);
  });

  test.each([
    { method: 'l1-wavelet', wavelet: 'haar', iterations: 6 },
    { method: 'locally-low-rank', blockSize: 6, iterations: 3 },
  ] as const)(
    '$method gives the same image twice and for any thread count, and tells how it ended',
    async (options) => {
      const [one, other] = [await run({ ...options, threads: 1 }), await run({ ...options, threads: 3 })];
      expect(sameBits(one.image.data, other.image.data)).toBe(true);
      expect(one.slices[0].solver).toMatchObject({ iterations: options.iterations, stop: 'iterations' });
    },
  );

  test.each(['l1-wavelet', 'locally-low-rank'])('%s stops half-way', async (method) => {
    const controller = new AbortController();
    const onProgress = ({ stage }: { stage: string }): void => {
      if (stage === 'reconstructing') controller.abort(new Error('enough'));
    };
    const running = run({ method, iterations: 100_000, tolerance: 0, signal: controller.signal, onProgress });
    await expect(running).rejects.toThrow('enough');
  });

  test.each([
    [{ method: 'l1-wavelet', regularisation: 0 }, 'lambda must be a finite number above 0'],
    [{ method: 'l1-wavelet', wavelet: 'coiflet' as 'haar' }, 'wavelet must be one of haar, daubechies-4'],
    [{ method: 'l1-wavelet', blockSize: 8 }, 'takes no blockSize'],
    [{ method: 'locally-low-rank', blockSize: 0 }, 'blockSize must be a positive integer'],
  ])('refuses %j', async (options, message) => {
    const error = { code: 'ERR_ARGUMENT', message: expect.stringContaining(message) };
    await expect(run(options)).rejects.toMatchObject(error);
  });
});

describe('fastmriLambda', () => {
  const mask = (every: number) => ({
    data: Uint8Array.from({ length: 48 }, (_, i) => (i % every ? 0 : 1)),
    shape: [48] as const,
  });

  test('chooses by contrast and acceleration, and only for fastMRI', () => {
    expect(fastmriLambda('CORPDFS_FBK', mask(4))).toBe(0.001);
    expect(fastmriLambda('CORPDFS_FBK', mask(8))).toBe(0.01);
    expect(fastmriLambda('AXFLAIR', mask(8))).toBe(0.001);
    expect(fastmriLambda('BRAIN_AX_PD_8CH', mask(4))).toBeUndefined();
    expect(fastmriLambda(undefined, mask(4))).toBeUndefined();
  });
});
