import { beforeAll, describe, expect, test } from 'vitest';
import { realZeros } from '#larmor/arrays/complex-array.js';
import { calibrate } from '#larmor/calibration/calibrate.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { MapsWriter } from '#larmor/io/maps-file.js';
import { openScan, type Scan } from '#larmor/io/scan.js';
import { estimateMemory } from '#larmor/reconstruction/memory.js';
import type { ReconstructionOptions } from '#larmor/reconstruction/options.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { noise, relativeError } from '../support/complex.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { syntheticKspace, writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const [few, many] = [file('few.h5'), file('many.h5')];
const SIZE = 48;

beforeAll(async () => {
  await writeSyntheticScan(few, { slices: 2, coils: 4, size: SIZE, noise: 2e-3 });
  await writeSyntheticScan(many, { slices: 1, coils: 20, size: SIZE, noise: 2e-3 });
});

/** The scan with a noise scan of `samples`. */
async function withNoise(
  path: string,
  readNoise: Scan['readNoise'],
  run: (scan: Scan) => Promise<void>,
): Promise<void> {
  await using scan = await openScan(path);
  await run(new Proxy(scan, { get: (target, name) => (name === 'readNoise' ? readNoise : bound(target, name)) }));
}

function bound(scan: Scan, name: string | symbol): unknown {
  const value = Reflect.get(scan, name, scan);
  return typeof value === 'function' ? value.bind(scan) : value;
}

const undersample = { acceleration: 2, centerFraction: 0.3 };

describe('whitening', () => {
  test('by default takes the noise scan where there is one, and says so', async () => {
    const plain = await reconstruct(few, { method: 'zero-filled' });
    expect(plain.manifest).toMatchObject({ noise: undefined, options: { preparation: { whiten: 'none' } } });
    // Noise of equal, uncoupled coils: whitening divides by nothing, to the precision at which 20 000 samples tell.
    const samples = noise([4, 20_000], 1);
    await withNoise(
      few,
      async () => samples,
      async (scan) => {
        const { image, manifest } = await reconstruct(scan, { method: 'zero-filled' });
        expect(manifest.noise).toMatchObject({ source: 'noise-scan', samples: 20_000, warnings: [] });
        expect(manifest.noise?.condition).toBeLessThan(1.1);
        expect(relativeError(image.data, plain.image.data)).toBeLessThan(0.02);
      },
    );
  });

  test('warns that a stored reference was not whitened', async () => {
    const path = file('reference.h5');
    await using writer = await ScanWriter.create(path, { slices: 1, coils: 4, matrix: [SIZE, SIZE] });
    await writer.writeKspace(0, await syntheticKspace({ slices: 1, coils: 4, size: SIZE, noise: 2e-3 }, 0));
    await writer.writeReference(0, realZeros([SIZE, SIZE]));
    await writer.commit();
    const warnings = async (options: ReconstructionOptions): Promise<readonly string[] | undefined> =>
      (await reconstruct(path, { method: 'zero-filled', undersample, ...options })).manifest.noise?.warnings;
    expect(await warnings({ whiten: 'background' })).toContainEqual(expect.stringContaining('stored reference'));
    expect((await warnings({ whiten: 'background', reference: 'sense' }))?.join()).not.toMatch(/reference/);
    expect(await warnings({ whiten: 'none' })).toBeUndefined();
  });

  test('weighs down a coil that is noisier', async () => {
    const samples = noise([4, 2000], 2);
    samples.data.subarray(0, 4000).forEach((value, i) => {
      samples.data[i] = 1e4 * value;
    });
    await withNoise(
      few,
      async () => samples,
      async (scan) => {
        const options = { method: 'cg-sense', undersample, slices: { end: 1 } };
        const [white, plain] = [await reconstruct(scan, options), await reconstruct(few, options)];
        expect(white.manifest.noise?.condition).toBeGreaterThan(1e7);
        expect(relativeError(white.image.data, plain.image.data)).toBeGreaterThan(0.05);
        // The reference loses that coil too.
        expect(white.metrics?.nmse).toBeLessThan(0.05);
      },
    );
  });

  test('by the background changes little where coils are equal', async () => {
    const [white, plain] = await Promise.all(
      (['background', 'none'] as const).map((whiten) => reconstruct(few, { method: 'cg-sense', undersample, whiten })),
    );
    expect(white.manifest.noise?.source).toBe('background');
    expect(relativeError(white.image.data, plain.image.data)).toBeLessThan(0.1);
  });

  test('needs what it is asked to take', async () => {
    await expect(reconstruct(few, { whiten: 'noise-scan' })).rejects.toMatchObject({ code: 'ERR_NOISE' });
    const whiten = 'corners' as ReconstructionOptions['whiten'];
    await expect(reconstruct(few, { whiten })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await withNoise(
      few,
      async () => noise([4, 3], 1),
      async (scan) => {
        await expect(reconstruct(scan)).rejects.toMatchObject({ code: 'ERR_NOISE' });
      },
    );
  });
});

describe('compression', () => {
  test('is automatic above 16 coils, and its energy is told', async () => {
    const automatic = await reconstruct(many, { method: 'cg-sense', undersample });
    expect(automatic.slices[0].compression).toMatchObject({ method: 'svd', coils: 16 });
    expect(automatic.slices[0].compression?.keptEnergy).toBeGreaterThan(0.999);
    expect(automatic.manifest.slices[0].compression).toEqual(automatic.slices[0].compression);
    const all = await reconstruct(many, { method: 'cg-sense', undersample, compress: false });
    expect(all.slices[0].compression).toBeUndefined();
    expect(relativeError(automatic.image.data, all.image.data)).toBeLessThan(0.02);
    const untouched = await reconstruct(few, { method: 'cg-sense', undersample });
    expect(untouched.slices[0].compression).toBeUndefined();
  });

  test.each([
    [3, { method: 'svd', coils: 3 }],
    [
      { method: 'geometric', coils: 3 },
      { method: 'geometric', coils: 3 },
    ],
    [{ energy: 1 }, { method: 'svd', coils: 4 }],
  ] as const)('as chosen: %j', async (compress, wanted) => {
    const { slices } = await reconstruct(few, { method: 'cg-sense', undersample, compress });
    for (const { compression } of slices) expect(compression).toMatchObject(wanted);
  });

  test('does not depend on samples outside the mask, nor on threads', async () => {
    const options = { method: 'cg-sense', undersample, compress: 2, whiten: 'background' } as const;
    const [one, two] = await Promise.all([1, 2].map((threads) => reconstruct(few, { ...options, threads })));
    expect(two.image.data).toEqual(one.image.data);
  });

  test.each([
    { compress: 7 },
    { compress: { method: 'geometric', coils: 7 } },
    { compress: false, whiten: 'background' },
  ] as const)('maps from a file follow the coils: %j', async (preparation) => {
    const scan = file('eight.h5');
    await writeSyntheticScan(scan, { slices: 1, coils: 8, size: SIZE, noise: 1e-3 });
    await using opened = await openScan(scan);
    const { maps } = await calibrate(await opened.readKspace(0));
    const mapsFile = file('maps.h5');
    await using writer = await MapsWriter.create(mapsFile, [1, 1, 8, SIZE, SIZE]);
    await writer.write(0, maps);
    await writer.commit({});
    const options = { method: 'cg-sense', undersample, maps: mapsFile } as const;
    const plain = await reconstruct(scan, { ...options, whiten: 'none', compress: false });
    const prepared = await reconstruct(scan, { ...options, ...preparation });
    // Eight coils of equal noise, of which seven virtual ones hold all but a thousandth.
    expect(relativeError(prepared.image.data, plain.image.data)).toBeLessThan(0.03);
  });

  test('takes less memory, as the estimate says', async () => {
    await using scan = await openScan(many);
    const perSlice = async (options: ReconstructionOptions): Promise<number> =>
      (await estimateMemory(scan, { method: 'cg-sense', ...options })).perSlice;
    const [all, automatic, four] = [
      await perSlice({ compress: false }),
      await perSlice({}),
      await perSlice({ compress: 4 }),
    ];
    expect(four).toBeLessThan(all);
    expect(four).toBeLessThan(automatic);
    expect(await perSlice({ compress: false, whiten: 'background' })).toBe(all + 8 * 20 * SIZE * SIZE);
  });

  test.each([5, 0, 1.5, 'all', null, { coils: 2, energy: 0.9 }, { method: 'gcc' }, { energy: 2 }, { coil: 3 }])(
    'refuses %j of 4 coils',
    async (compress) => {
      const options = { compress } as unknown as ReconstructionOptions;
      await expect(reconstruct(few, options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    },
  );
});
