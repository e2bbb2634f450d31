// The lines of a scan in ISMRMRD's layout: where they land, which count, and how their oversampling is removed.
import { describe, expect, test } from 'vitest';
import { directDft, relativeError } from '../support/complex.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import type { TestAcquisition } from '../support/ismrmrd-files.js';
import {
  COILS,
  COLUMNS,
  kspaceOf,
  line,
  lines,
  READOUT,
  read,
  sample,
  square,
  TOLERANCE,
  withScan,
} from '../support/ismrmrd-scans.js';

const file = temporaryFolder();

describe('lines', () => {
  test('land at their columns, in whatever order', () =>
    withScan(file('scan.h5'), square, lines([4, 0, 5, 2, 1, 3]), async (scan) => {
      expect(scan).toMatchObject({
        format: 'ismrmrd',
        slices: 1,
        coils: COILS,
        phaseEncodes: 1,
        matrix: [READOUT, COLUMNS],
        fullySampled: true,
        hasReference: false,
      });
      expect(await read(scan)).toEqual(kspaceOf((coil, x, ky) => sample(line(ky), coil, x)));
      expect(await scan.readReference(0)).toBeUndefined();
      expect(await scan.readNoise()).toBeUndefined();
    }));

  test('count from the centre that the header states; what lies outside was not acquired', () => {
    const partial = { ...square, centers: [1, 0], maxima: [3, 0] } as const;
    return withScan(file('scan.h5'), partial, lines([0, 1, 2, 3]), async (scan) => {
      expect(scan).toMatchObject({ acquiredColumns: [2, 6], fullySampled: true });
      expect(await read(scan)).toEqual(kspaceOf((c, x, ky) => (ky < 2 ? [0, 0] : sample(line(ky - 2), c, x))));
    });
  });

  test('missing ones make a mask', () =>
    withScan(file('scan.h5'), square, lines([0, 2, 3]), (scan) => {
      expect(scan.mask).toEqual({ shape: [6], data: Uint8Array.of(1, 0, 1, 1, 0, 0) });
    }));

  test('repeated ones are averaged', () =>
    withScan(file('scan.h5'), square, [...lines(), { ...line(20), ky: 3 }, { ...line(21), ky: 3 }], async (scan) => {
      const expected = kspaceOf((coil, x, ky) => {
        if (ky !== 3) return sample(line(ky), coil, x);
        const three = [line(3), line(20), line(21)].map((one) => sample(one, coil, x));
        return [0, 1].map((part) => three.reduce((sum, one) => sum + one[part] / 3, 0)) as [number, number];
      });
      expect(relativeError(await read(scan), expected)).toBeLessThan(TOLERANCE);
      expect(scan.contents?.averages).toBe(3);
    }));

  test('reversed ones are taken last sample first', () =>
    withScan(file('scan.h5'), square, [...lines([0, 1, 2, 3, 4]), { ...line(5), ky: 5, flags: [22] }], async (scan) => {
      const expected = kspaceOf((coil, x, ky) => sample(line(ky), coil, ky === 5 ? READOUT - 1 - x : x));
      expect(await read(scan)).toEqual(expected);
    }));

  test('an asymmetric echo is filled with zeros before its first sample; discarded samples do not count', () => {
    // Samples 1 to 5 of 7 are kept; the centre, sample 2, belongs at 4 of 8: they fill 3 to 7.
    const short = (ky: number): TestAcquisition => ({
      ...line(ky, 7),
      ky,
      centerSample: 2,
      discardPre: 1,
      discardPost: 1,
    });
    return withScan(
      file('scan.h5'),
      square,
      lines().map(({ ky = 0 }) => short(ky)),
      async (scan) => {
        const expected = kspaceOf((coil, x, ky) => (x < 3 ? [0, 0] : sample(short(ky), coil, x - 2)));
        expect(await read(scan)).toEqual(expected);
      },
    );
  });

  test.each([
    ['no k-space', [18 + 1], 'noise'],
    ['navigation', [23], 'skipped'],
    ['phase correction', [24, 22], 'skipped'],
    ['feedback', [26], 'skipped'],
    ['dummy', [27], 'skipped'],
    ['feedback', [28], 'skipped'],
    ['surface coil correction', [29], 'skipped'],
    ['phase stabilisation', [31], 'skipped'],
  ])('%s (flags %j) is no line of the image', (reason, flags, kind) =>
    withScan(file('scan.h5'), square, [{ ...line(30), flags, ky: 2 }, ...lines()], async (scan) => {
      expect(await read(scan)).toEqual(kspaceOf((coil, x, ky) => sample(line(ky), coil, x)));
      expect(scan.contents).toMatchObject({
        acquisitions: 7,
        lines: 6,
        noise: kind === 'noise' ? 1 : 0,
        skipped: kind === 'noise' ? {} : { [reason]: 1 },
      });
    }),
  );

  test.each([
    ['embedded', 1],
    ['separate', 0],
  ])('calibration lines count where they are %s', (mode, counted) => {
    const calibrationMode = `<parallelImaging><calibrationMode>${mode}</calibrationMode></parallelImaging>`;
    const acquisitions = lines([0, 2, 3, 4]).map((one) =>
      one.ky === 3 ? { ...one, flags: [20] } : one.ky === 2 ? { ...one, flags: [20, 21] } : one,
    );
    return withScan(file('scan.h5'), { ...square, encoding: calibrationMode }, acquisitions, (scan) => {
      expect(scan.mask?.data).toEqual(Uint8Array.of(1, 0, 1, counted, 1, 0));
    });
  });

  test('of another encoding space are left out', () =>
    withScan(file('scan.h5'), square, [...lines(), { ...line(40, 4), encodingSpace: 1 }], (scan) => {
      expect(scan.contents?.skipped).toEqual({ 'another encoding space': 1 });
    }));
});

describe('readout oversampling', () => {
  /** The middle of the image of a line, by sums in double precision. */
  function cropped(data: Float32Array, to: number): Float64Array {
    const image = Float64Array.from(data);
    const samples = data.length / 2;
    directDft(image, samples, 1, [0], true);
    const kept = image.slice(samples - to, samples + to);
    directDft(kept, to, 1, [0], false);
    return kept;
  }

  test('is removed in image space', () => {
    const wide = (ky: number): TestAcquisition => ({ ...line(ky, 16), ky });
    const header = { encoded: [16, COLUMNS, 1], recon: [8, 4, 1] } as const;
    return withScan(
      file('scan.h5'),
      header,
      lines().map(({ ky = 0 }) => wide(ky)),
      async (scan) => {
        expect(scan).toMatchObject({ matrix: [8, 6], imageShape: [8, 4] });
        const expected = new Float64Array(2 * COILS * 8 * COLUMNS);
        for (let coil = 0; coil < COILS; coil += 1)
          for (let ky = 0; ky < COLUMNS; ky += 1) {
            const kept = cropped(wide(ky).data.slice(32 * coil, 32 * (coil + 1)), 8);
            for (let x = 0; x < 8; x += 1)
              expected.set(kept.subarray(2 * x, 2 * x + 2), 2 * ((coil * 8 + x) * COLUMNS + ky));
          }
        expect(relativeError(await read(scan), expected)).toBeLessThan(TOLERANCE);
      },
    );
  });
});
