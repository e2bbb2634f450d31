import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { Cells, Ellipse, segmentDistance, smoothMinimum } from '#larmor/simulation/anatomy.js';
import { NoiseField, WaveField } from '#larmor/simulation/noise-field.js';
import { PHANTOM_FAMILIES, type PhantomOptions, renderPhantom } from '#larmor/simulation/phantom.js';
import { drawAppearance, TISSUE } from '#larmor/simulation/tissues.js';

describe('noise fields', () => {
  test('gradient noise is smooth, centred and bounded', () => {
    const field = new NoiseField(new MT19937(1));
    const random = new MT19937(2);
    let [sum, largest, steepest] = [0, 0, 0];
    for (let i = 0; i < 20_000; ++i) {
      const [x, y, z] = [random.uniform(-300, 300), random.uniform(-300, 300), random.uniform(-300, 300)];
      const value = field.at(x, y, z);
      sum += value;
      largest = Math.max(largest, Math.abs(value));
      steepest = Math.max(steepest, Math.abs(field.at(x + 1e-4, y, z) - value) / 1e-4);
    }
    expect(largest).toBeLessThan(1.1);
    expect(steepest).toBeLessThan(6);
    expect(Math.abs(sum / 20_000)).toBeLessThan(0.01);
  });

  test('sheets of a wave field lie about half a wavelength apart', () => {
    const field = new WaveField(new MT19937(3), 0.2);
    // Along a line, a random wave field of mean squared wave number k^2 has k / (pi sqrt 3) zeros per unit length.
    let crossings = 0;
    for (let line = 0; line < 40; ++line)
      for (let i = 1; i < 1999; ++i) {
        const [before, here, after] = [i - 1, i, i + 1].map((k) => field.distance(0.001 * k, 0.37 * line, 0.11 * line));
        if (here < before && here <= after && here < 0.0015) ++crossings;
      }
    const expected = (40 * 2 * 2 * Math.PI) / 0.2 / (Math.PI * Math.sqrt(3));
    expect(crossings / expected).toBeGreaterThan(0.75);
    expect(crossings / expected).toBeLessThan(1.25);
  });
});

describe('shapes', () => {
  test('a circle has exact distances, an ellipse exact ones on its axes to first order', () => {
    const circle = new Ellipse(0.1, -0.2, 0.5, 0.5, 1);
    expect(circle.distance(0.1 + 0.3, -0.2 + 0.4)).toBeCloseTo(0, 12);
    expect(circle.distance(0.1, 0.8)).toBeCloseTo(0.5, 12);
    const turned = new Ellipse(0, 0, 0.6, 0.2, Math.PI / 2);
    expect(turned.distance(0, 0.61)).toBeCloseTo(0.01, 6);
    expect(turned.distance(0.19, 0)).toBeCloseTo(-0.01, 6);
    expect(turned.angle(0, 0.5)).toBeCloseTo(0, 12);
  });

  test('segments and smooth joins', () => {
    expect(segmentDistance(0.5, 0.3, [0, 0], [1, 0])).toBeCloseTo(0.3, 12);
    expect(segmentDistance(-3, 4, [0, 0], [1, 0])).toBeCloseTo(5, 12);
    expect(smoothMinimum(1, 3, 0.5)).toBe(1);
    expect(smoothMinimum(1, 1, 0.5)).toBeCloseTo(1 - 0.125, 12);
  });

  test('cells: the border of two seeds is their bisector', () => {
    const cells = new Cells(new MT19937(5), 2, 0.4, () => true);
    expect(cells.count).toBe(2);
    const random = new MT19937(6);
    let crossings = 0;
    for (let i = 0; i < 500; ++i) {
      const [x, y] = [random.uniform(-1, 1), random.uniform(-1, 1)];
      const distance = cells.distance(x, y);
      const { nearest } = cells;
      // Moving less than the distance never changes the nearest seed.
      const angle = random.uniform(0, 2 * Math.PI);
      cells.distance(x + 0.999 * distance * Math.cos(angle), y + 0.999 * distance * Math.sin(angle));
      expect(cells.nearest).toBe(nearest);
      crossings += nearest;
    }
    expect(crossings).toBeGreaterThan(0);
  });
});

describe('tissue signals have the order radiology knows', () => {
  test.each([
    ['t1', ['fat', 'whiteMatter', 'greyMatter', 'fluid', 'corticalBone', 'air']],
    ['t2', ['fluid', 'greyMatter', 'whiteMatter', 'muscle', 'corticalBone', 'air']],
    ['flair', ['lesion', 'greyMatter', 'whiteMatter', 'fluid']],
    ['pd', ['greyMatter', 'whiteMatter', 'tendon', 'corticalBone', 'air']],
  ] as const)('%s', (contrast, order) => {
    for (let seed = 0; seed < 5; ++seed) {
      const { signal } = drawAppearance(new MT19937(seed), contrast, 1);
      const values = order.map((name) => signal[TISSUE[name]]);
      expect(values).toEqual([...values].sort((a, b) => b - a));
    }
  });
});

describe.each(PHANTOM_FAMILIES)('renderPhantom %s', (family) => {
  const render = (change: Partial<PhantomOptions> = {}) => renderPhantom({ family, seed: 4, size: 64, ...change });

  test('is an object of finite signals, the same for one seed and another for another', async () => {
    const { data, shape } = await render({ slices: 2 });
    expect(shape).toEqual([2, 64, 64]);
    expect(data.every((value) => value >= 0 && value < 3)).toBe(true);
    const bright = data.reduce((count, value) => count + (value > 0.05 ? 1 : 0), 0) / data.length;
    expect(bright).toBeGreaterThan(0.1);
    expect(bright).toBeLessThan(0.9);
    expect((await render({ slices: 2 })).data).toEqual(data);
    expect((await render({ slices: 2, seed: 5 })).data).not.toEqual(data);
  });

  test('neighbouring slices resemble each other and differ', async () => {
    const { data } = await render({ slices: 2 });
    let difference = 0;
    let energy = 0;
    for (let i = 0; i < 64 * 64; ++i) {
      difference += (data[i] - data[4096 + i]) ** 2;
      energy += data[i] ** 2;
    }
    expect(difference / energy).toBeGreaterThan(1e-4);
    expect(difference / energy).toBeLessThan(0.3);
  });

  test('is the same anatomy at twice the resolution', async () => {
    const [coarse, fine] = [await render(), await render({ size: 128 })];
    let [products, coarseEnergy, fineEnergy] = [0, 0, 0];
    // The coarse pixel (y, x) is centred on the fine pixel (2y, 2x); average it and half of its neighbours.
    for (let y = 1; y < 63; ++y)
      for (let x = 1; x < 63; ++x) {
        let mean = 0;
        for (let j = -1; j <= 1; ++j)
          for (let i = -1; i <= 1; ++i)
            mean += ((2 - Math.abs(j)) * (2 - Math.abs(i)) * fine.data[(2 * y + j) * 128 + 2 * x + i]) / 16;
        products += mean * coarse.data[y * 64 + x];
        coarseEnergy += coarse.data[y * 64 + x] ** 2;
        fineEnergy += mean ** 2;
      }
    // What is thinner than a coarse pixel is sampled four times in it, so not quite at its true share.
    expect(products / Math.sqrt(coarseEnergy * fineEnergy)).toBeGreaterThan(0.96);
  });
});

describe('renderPhantom rejects', () => {
  const options = { family: 'head', seed: 1, size: 32 } as const;

  test.each([{ family: 'wing' }, { size: 8 }, { size: 64.5 }, { slices: 0 }, { contrast: 'dwi' }, { seed: -1 }])(
    '%j',
    async (change) => {
      await expect(renderPhantom({ ...options, ...change } as PhantomOptions)).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
      });
    },
  );

  test('when aborted, with the reason', async () => {
    const reason = new Error('enough');
    await expect(renderPhantom(options, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
