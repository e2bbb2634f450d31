// ESPIRiT's maps of real scans beside BART's, and the automatic crop beside the truth.
import { expect, test } from 'vitest';
import { espirit } from '#larmor/calibration/espirit.js';
import { openScan } from '#larmor/io/scan.js';
import { nmse } from '#larmor/metrics/metrics.js';
import { combineComponents, rootSumOfSquares } from '#larmor/reconstruction/images.js';
import { cgSense } from '#larmor/solvers/sense.js';
import { BART_FIXTURES, bartFixture } from '../support/bart.js';
import { sameBits } from '../support/bits.js';
import { correlations, energy, mean } from '../support/coils.js';
import { describeShared, shared } from '../support/shared.js';

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

describeShared('espirit against BART', () => {
  test.each(BART_FIXTURES)('%s', async (name) => {
    const { kspace, mask, maps: wanted } = await bartFixture(name);
    const { maps, eigenvalues } = await espirit(kspace, { mask });
    const [mine, theirs] = [energy(maps), energy(wanted)];
    const inside = [...theirs.keys()].filter((p) => theirs[p] > 0);
    const correlation = correlations(wanted, maps);
    expect(mean(inside.map((p) => correlation[p]))).toBeGreaterThanOrEqual(0.9999);
    const both = inside.filter((p) => mine[p] > 0).length;
    const dice = (2 * both) / (inside.length + mine.filter((e) => e > 0).length);
    expect(dice).toBeGreaterThanOrEqual(0.999);
    const cropped = mine.map((e, p) => Math.abs(e - (eigenvalues.data[p] > 0.8 ? 1 : 0)));
    expect(Math.max(...cropped)).toBeLessThan(1e-5);
  });

  test.each([
    // What Otsu's threshold gives for these two, and that maps cropped there reconstruct no worse than maps cropped at 0.8.
    [BART_FIXTURES[0], 0.7, 0.85],
    [BART_FIXTURES[1], 0.8, 0.92],
  ] as const)('the automatic crop suits %s', async (name, least, most) => {
    const { kspace, mask } = await bartFixture(name);
    const file = name.includes('gre') ? 'brain_gre_t2star_16ch' : 'brain_pd_8ch';
    await using scan = await openScan(shared(`data/${file}.h5`));
    const truth = await rootSumOfSquares(await scan.readKspace(0));
    const peak = truth.data.reduce((a, b) => Math.max(a, b));
    const object = truth.data.map((value) => (value > 0.07 * peak ? 1 : 0));
    const judge = async (crop: number | 'auto') => {
      const { maps, crop: used } = await espirit(kspace, { mask, crop, threshold: 0.0004 });
      const support = energy(maps);
      let [both, either] = [0, 0];
      object.forEach((inside, p) => {
        both += 2 * (inside && support[p] > 0 ? 1 : 0);
        either += inside + (support[p] > 0 ? 1 : 0);
      });
      const { x } = await cgSense(kspace, { maps, mask }, { lambda: 0.005 });
      const image = await combineComponents(x);
      const masked = (values: Float32Array) => ({ data: values.map((v, p) => v * object[p]), shape: truth.shape });
      // The fixture's k-space is scaled; both images are compared at the brightness of the truth.
      const gain = dot(masked(image.data).data, truth.data) / dot(masked(image.data).data, image.data);
      return { used, dice: both / either, nmse: nmse(masked(truth.data), masked(image.data.map((v) => v * gain))) };
    };
    const [automatic, usual] = [await judge('auto'), await judge(0.8)];
    expect(automatic.used).toBeGreaterThan(least);
    expect(automatic.used).toBeLessThan(most);
    // The support is no worse than that of 0.8 against the object in the fully sampled image, to a hundredth; nor is the image.
    expect(automatic.dice).toBeGreaterThan(usual.dice - 0.01);
    expect(automatic.nmse).toBeLessThan(1.01 * usual.nmse);
  });

  test('finds the same centre in the zeros of k-space as in the mask, and the same maps at any scale', async () => {
    const { kspace, mask } = await bartFixture(BART_FIXTURES[0]);
    const reference = await espirit(kspace, { mask });
    expect(reference.calibration).toMatchObject({ rows: 24, columns: 24, column: 52 });
    const scaled = await espirit({ data: kspace.data.map((value) => value * 2 ** -30), shape: kspace.shape });
    expect(scaled.calibration).toEqual(reference.calibration);
    expect(sameBits(scaled.maps.data, reference.maps.data)).toBe(true);
  });
});
