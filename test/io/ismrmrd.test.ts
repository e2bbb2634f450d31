// Scans in ISMRMRD's layout: several images in a file, noise, what is refused.
import { readFileSync, truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Hdf5Thread } from '#larmor/io/hdf5/thread.js';
import { openScan } from '#larmor/io/scan.js';
import { relativeError } from '../support/complex.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { ismrmrdHeader, type TestAcquisition, type TestHeader, writeIsmrmrd } from '../support/ismrmrd-files.js';
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

describe('several images in one file', () => {
  test('slices follow their numbers', () => {
    const stack = [7, 2].flatMap((slice) =>
      lines().map((one) => ({ ...one, ...line(slice + 10 * (one.ky ?? 0)), slice })),
    );
    return withScan(file('scan.h5'), square, stack, async (scan) => {
      expect(scan.slices).toBe(2);
      expect(await read(scan, 0)).toEqual(kspaceOf((coil, x, ky) => sample(line(2 + 10 * ky), coil, x)));
      expect(await read(scan, 1)).toEqual(kspaceOf((coil, x, ky) => sample(line(7 + 10 * ky), coil, x)));
    });
  });

  test.each([
    ['counts from 0', [COLUMNS >> 1, 0]],
    ['is centred', [COLUMNS >> 1, 2]],
  ] as const)('a stack whose header states a second phase encoding that no line takes, which %s', (_, centers) => {
    // As mridata.org has the Stanford knees: transformed along the second phase encoding, with the number of lines as their maximum.
    const stated: TestHeader = { encoded: [READOUT, COLUMNS, 4], centers, maxima: [COLUMNS, 1] };
    const stack = [0, 1, 2, 3].flatMap((slice) =>
      lines().map((one) => ({ ...one, ...line(slice + 10 * (one.ky ?? 0)), slice })),
    );
    return withScan(file('scan.h5'), stated, stack, async (scan) => {
      const { slices, phaseEncodes, matrix, fullySampled } = scan;
      expect([slices, phaseEncodes, matrix, fullySampled]).toEqual([4, 1, [READOUT, COLUMNS], true]);
      expect(await read(scan, 3)).toEqual(kspaceOf((coil, x, ky) => sample(line(3 + 10 * ky), coil, x)));
    });
  });

  const echoes = [0, 1].flatMap((contrast) =>
    lines().map((one) => ({ ...one, ...line(50 * contrast + (one.ky ?? 0)), contrast })),
  );

  test('the lowest contrast is read unless another is chosen', async () => {
    await withScan(file('scan.h5'), square, echoes, async (scan) => {
      expect(await read(scan)).toEqual(kspaceOf((coil, x, ky) => sample(line(ky), coil, x)));
      expect(scan.contents).toMatchObject({ available: { contrast: [0, 1] }, selected: { contrast: 0 } });
    });
    await withScan(
      file('scan.h5'),
      square,
      echoes,
      async (scan) => expect(await read(scan)).toEqual(kspaceOf((coil, x, ky) => sample(line(50 + ky), coil, x))),
      { contrast: 1 },
    );
  });

  test('a contrast or group that is not there is refused', async () => {
    await expect(withScan(file('scan.h5'), square, echoes, () => {}, { contrast: 2 })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    await expect(withScan(file('scan.h5'), square, echoes, () => {}, { dataset: 'x' })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
  });
});

describe('noise', () => {
  test('is scaled from its own bandwidth to that of the lines', () => {
    const measured = [60, 61].map((seed) => ({ ...line(seed, 5), flags: [19], sampleTime: 4 }));
    const imaging = lines().map((one) => ({ ...one, sampleTime: 8 }));
    const system = '<relativeReceiverNoiseBandwidth>0.8</relativeReceiverNoiseBandwidth>';
    return withScan(file('scan.h5'), { ...square, system }, [...measured, ...imaging], async (scan) => {
      const { data, shape } = (await scan.readNoise())!;
      expect(shape).toEqual([COILS, 10]);
      const scale = Math.sqrt(4 / 8 / 0.8);
      const expected = [0, 1].flatMap((coil) =>
        measured.flatMap((one) => [0, 1, 2, 3, 4].flatMap((x) => sample(one, coil, x).map((value) => scale * value))),
      );
      expect(relativeError(data, expected)).toBeLessThan(TOLERANCE);
    });
  });
});

describe('bad input', () => {
  const outside = { ...line(9), ky: 6 };
  test.each<[string, TestHeader, TestAcquisition[], string, RegExp]>([
    ['no lines', square, [{ ...line(1), flags: [19] }], 'ERR_FILE_FORMAT', /none of its 1 acquisitions/],
    ['no acquisitions', square, [], 'ERR_FILE_FORMAT', /none of its 0/],
    [
      'a line outside the matrix',
      square,
      [...lines(), outside],
      'ERR_FILE_FORMAT',
      /acquisition 6 .*step_1 6 lies outside/,
    ],
    [
      'another number of channels',
      square,
      [...lines(), line(3, READOUT, 3)],
      'ERR_FILE_FORMAT',
      /3 channels, others have 2/,
    ],
    ['too long a readout', square, [...lines(), line(3, 20)], 'ERR_FILE_FORMAT', /do not fit into a readout of 8/],
    ['compressed samples', square, [{ ...line(1), flags: [53] }], 'ERR_FILE_FORMAT', /compressed/],
    ['fewer samples than stated', square, [{ ...line(1, 6), statedSamples: 8 }], 'ERR_FILE_FORMAT', /holds 24 floats/],
    ['another trajectory', { ...square, trajectory: 'radial' }, lines(), 'ERR_FILE_FORMAT', /radial/],
    [
      'slices of different lines',
      square,
      [...lines(), { ...line(1), slice: 1 }],
      'ERR_FILE_FORMAT',
      /not sampled alike/,
    ],
    [
      'NaN',
      square,
      [{ ...line(1), data: new Float32Array(32).fill(Number.NaN) }],
      'ERR_NOT_FINITE',
      /acquisition 0 holds NaN/,
    ],
    ['a matrix beyond memory', { encoded: [60_000, 60_000, 1] }, [line(1, 60_000)], 'ERR_FILE_FORMAT', /GiB/],
  ])('%s', async (_, header, acquisitions, code, message) => {
    await expect(withScan(file('scan.h5'), header, acquisitions, (scan) => read(scan))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('a header without a matrix, and one that is no XML', async () => {
    for (const header of ['<ismrmrdHeader/>', '<a><b></a>'])
      await expect(writeIsmrmrd(file('bad.h5'), header, lines()).then((path) => openScan(path))).rejects.toMatchObject({
        code: 'ERR_FILE_FORMAT',
      });
  });

  test('every truncation is refused with a coded error', async () => {
    const path = await writeIsmrmrd(file('cut.h5'), ismrmrdHeader(square), lines());
    const bytes = readFileSync(path).length;
    for (let length = bytes - 1; length > 0; length -= Math.ceil(bytes / 8)) {
      truncateSync(path, length);
      await expect(openScan(path)).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
    }
  });
});

test('an abort rejects with its reason and leaves the scan usable', () =>
  withScan(file('scan.h5'), square, lines(), async (scan) => {
    const controller = new AbortController();
    const reading = scan.readKspace(0, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    expect((await scan.readKspace(0)).shape).toEqual([COILS, READOUT, COLUMNS]);
  }));

test('what the library allocates for samples is freed', async () => {
  const path = await writeIsmrmrd(
    file('heap.h5'),
    ismrmrdHeader({ encoded: [1024, 64, 1] }),
    Array.from({ length: 64 }, (_, ky) => ({ ...line(ky, 1024), ky })),
  );
  /** Bytes that the library holds after reading everything so many times. */
  const heapAfter = async (times: number): Promise<number> => {
    const thread = new Hdf5Thread();
    await thread.call(undefined, 'open', path);
    for (let i = 0; i < times; i += 1) await thread.call(undefined, 'acquisitions', 'dataset/data');
    const bytes = await thread.call(undefined, 'close');
    await thread.terminate();
    return bytes;
  };
  // The file holds 1 MB of samples.
  expect(await heapAfter(40)).toBe(await heapAfter(1));
});
