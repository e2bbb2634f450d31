import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { calibrate } from '#larmor/calibration/calibrate.js';
import { type CalibrationDiagnostics, describeMaps, mapWarnings } from '#larmor/calibration/diagnostics.js';
import { espirit } from '#larmor/calibration/espirit.js';
import { openScan } from '#larmor/io/scan.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import { Mask } from '#larmor/operators/mask.js';
import { createMask } from '#larmor/sampling/mask.js';
import { cgSense } from '#larmor/solvers/sense.js';
import { noise } from '../support/complex.js';
import { syntheticKspace } from '../support/scans.js';
import { describeShared, shared } from '../support/shared.js';
import { wrappedScan } from '../support/wrapped-scan.js';

const centre = { rows: 48, columns: 20 };

/** K-space [coil, 48, 48] of which `lines` in the middle are left. */
async function centreLines(lines: number): Promise<ComplexArray> {
  const kspace = await syntheticKspace({ slices: 1, coils: 6, size: 48, noise: 1e-3 }, 0);
  const first = 24 - (lines >> 1);
  const data = kspace.data.map((value, i) => ((i >> 1) % 48 >= first && (i >> 1) % 48 < first + lines ? value : 0));
  return { data, shape: kspace.shape };
}

async function diagnose(kspace: ComplexArray, options: object = {}): Promise<CalibrationDiagnostics> {
  return { centre, acceleration: 2, maps: describeMaps(await calibrate(kspace, { threshold: 0.0004, ...options })) };
}

describe('the share left unexplained', () => {
  test('is what the maps cannot make of the images of the calibration region', async () => {
    const shape = [4, 18, 22] as const;
    const kspace = noise(shape, 1); // noise: no maps explain it all
    const options = { sets: 2, calibrationSize: 10, kernel: 3, crop: 0.5, threshold: 0.2 };
    for (const weighting of ['hard', 'soft'] as const) {
      const { maps, calibration, unexplained } = await espirit(kspace, { ...options, weighting });
      const { row, rows, column, columns } = calibration;
      const region = complexZeros(shape);
      kspace.data.forEach((value, at) => {
        const [y, x] = [Math.floor((at >> 1) / 22) % 18, (at >> 1) % 22];
        if (y >= row && y < row + rows && x >= column && x < column + columns) region.data[at] = value;
      });
      const { data } = await ifft2(region);
      const plane = 18 * 22;
      let [left, all] = [0, 0];
      for (let p = 0; p < plane; p += 1) {
        const residual = Float64Array.from({ length: 8 }, (_, i) => data[2 * ((i >> 1) * plane + p) + (i & 1)]);
        all += residual.reduce((sum, value) => sum + value ** 2, 0);
        const given = residual.slice();
        for (let set = 0; set < 2; set += 1) {
          let [re, im] = [0, 0];
          const map = (c: number): [number, number] => {
            const i = 2 * ((set * 4 + c) * plane + p);
            return [maps.data[i], maps.data[i + 1]];
          };
          for (let c = 0; c < 4; c += 1) {
            const [a, b] = map(c);
            re += a * given[2 * c] + b * given[2 * c + 1];
            im += a * given[2 * c + 1] - b * given[2 * c];
          }
          for (let c = 0; c < 4; c += 1) {
            const [a, b] = map(c);
            residual[2 * c] -= a * re - b * im;
            residual[2 * c + 1] -= a * im + b * re;
          }
        }
        left += residual.reduce((sum, value) => sum + value ** 2, 0);
      }
      expect(unexplained).toBeCloseTo(left / all, 5);
      expect(unexplained).toBeGreaterThan(0.05);
    }
  });

  test('support and consistency are shares of the pixels', async () => {
    const kspace = await centreLines(24);
    const { eigenvalues } = await espirit(kspace, { threshold: 0.0004 });
    const above = (bound: number): number => eigenvalues.data.filter((value) => value > bound).length;
    const { maps } = await diagnose(kspace);
    expect(maps?.support).toBeCloseTo(above(0.8) / 48 ** 2, 12);
    expect(maps?.consistent).toBeCloseTo(above(0.95) / above(0.8), 12);
  });
});

describe('warnings', () => {
  test('none where enough lines were measured', async () => {
    const diagnostics = await diagnose(await centreLines(16));
    expect(mapWarnings(diagnostics, 6)).toEqual([]);
    expect(diagnostics.maps).toMatchObject({ kernel: 6, sets: 1, region: { rows: 24, columns: 16 } });
    expect(diagnostics.maps?.unexplained).toBeLessThan(0.02);
  });

  test('few centre lines: the kernel shrinks, and says so; a kernel that was asked for does not', async () => {
    const kspace = await centreLines(8);
    const shrunk = await diagnose(kspace);
    expect(shrunk.maps?.kernel).toBe(4);
    expect(mapWarnings(shrunk, 6)).toEqual([expect.stringMatching(/coarse.*24 x 8.*kernel of 4.*12 centre lines/)]);
    const forced = await diagnose(kspace, { kernel: 6 });
    expect(mapWarnings(forced, 6)[0]).toMatch(/cannot be trusted.*24 x 8.*needs 12 centre lines.*kernel of 4/);
  });

  test('an object that exceeds the field of view asks for a second set', async () => {
    const kspace = await wrappedScan(64, 34);
    const one = await diagnose(kspace);
    expect(mapWarnings(one, 12)).toEqual([expect.stringMatching(/lie on each other.*2 sets/)]);
    expect(mapWarnings(await diagnose(kspace, { sets: 2 }), 12)).toEqual([]);
  });

  test('more acceleration than coils; maps of zeros; much unexplained; no maps', () => {
    const maps = { method: 'espirit', sets: 1, support: 0.5, unexplained: 0.01 } as const;
    const text = (changes: object, coils = 8, acceleration = 4): string =>
      mapWarnings({ centre, acceleration, maps: { ...maps, ...changes } }, coils).join('; ');
    expect(text({})).toBe('');
    expect(text({}, 3)).toMatch(/acceleration 4\.0 exceeds the number of coils, 3/);
    expect(text({ support: 0 })).toMatch(/zero throughout; lower the crop/);
    expect(text({ unexplained: 0.2 })).toMatch(/leave 20 % of the calibration data unexplained/);
    expect(mapWarnings({ centre, acceleration: 20 }, 2)).toEqual([]);
  });
});

describeShared('a kernel that fits the centre', () => {
  test('keeps least squares right where the usual one of 6 fails: 8 centre lines of brain_pd', async () => {
    await using scan = await openScan(shared('data/brain_pd_8ch.h5'));
    const full = await scan.readKspace(0);
    const [, ny, nx] = full.shape;
    const mask = createMask({ type: 'equispaced', columns: nx, acceleration: 3, centerFraction: 8 / nx, seed: 1 });
    const kspace = await new Mask(mask, full.shape).apply(full);
    const { data } = await ifft2(full);
    const error = async (kernel: number | undefined): Promise<number> => {
      const { maps } = await espirit(kspace, { mask, kernel, threshold: 0.0004 });
      const { x } = await cgSense(kspace, { maps, mask }, { lambda: 0.005 });
      let [wrong, all] = [0, 0];
      for (let p = 0; p < ny * nx; p += 1) {
        let energy = 0;
        for (let i = 2 * p; i < data.length; i += 2 * ny * nx) energy += data[i] ** 2 + data[i + 1] ** 2;
        wrong += (Math.sqrt(energy) - Math.hypot(x.data[2 * p], x.data[2 * p + 1])) ** 2;
        all += energy;
      }
      return wrong / all;
    };
    expect(await error(undefined)).toBeLessThan(0.05);
    expect(await error(6)).toBeGreaterThan(0.3);
  });
});
