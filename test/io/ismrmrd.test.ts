import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { Hdf5Reader } from '#larmor/io/hdf5/reader.js';
import { Hdf5Thread } from '#larmor/io/hdf5/thread.js';
import { openScan, type Scan, type ScanOptions } from '#larmor/io/scan.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import { directDft, noise, relativeError } from '../support/complex.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { ismrmrdHeader, type TestAcquisition, type TestHeader, writeIsmrmrd } from '../support/ismrmrd-files.js';

const file = temporaryFolder();

/** Float32 transforms along one axis. */
const TOLERANCE = 1e-6;

const [COILS, READOUT, COLUMNS] = [2, 8, 6];

async function withScan<T>(
  header: TestHeader,
  acquisitions: readonly TestAcquisition[],
  body: (scan: Scan) => T | Promise<T>,
  options?: ScanOptions,
): Promise<T> {
  const path = await writeIsmrmrd(file('scan.h5'), ismrmrdHeader(header), acquisitions);
  await using scan = await openScan(path, options);
  return await body(scan);
}

const square: TestHeader = { encoded: [READOUT, COLUMNS, 1] };

/** A line of random samples. */
const line = (seed: number, samples = READOUT, channels = COILS): TestAcquisition => ({
  data: noise([channels, samples], seed).data,
  channels,
});

/** All lines of a slice, in this order of ky. */
const lines = (order: readonly number[] = [0, 1, 2, 3, 4, 5]): TestAcquisition[] =>
  order.map((ky) => ({ ...line(ky), ky }));

/** Sample `x` of channel `coil` of a line. */
const sample = ({ data, channels }: TestAcquisition, coil: number, x: number): readonly [number, number] => {
  const at = 2 * (coil * (data.length / 2 / channels) + x);
  return [data[at], data[at + 1]];
};

/** K-space [coil, readout, column] whose columns are made of samples. */
function kspaceOf(value: (coil: number, x: number, ky: number) => readonly [number, number]): Float32Array {
  const { data } = complexZeros([COILS, READOUT, COLUMNS]);
  for (let coil = 0; coil < COILS; coil += 1)
    for (let x = 0; x < READOUT; x += 1)
      for (let ky = 0; ky < COLUMNS; ky += 1) data.set(value(coil, x, ky), 2 * ((coil * READOUT + x) * COLUMNS + ky));
  return data;
}

const read = async (scan: Scan, slice = 0): Promise<Float32Array> => (await scan.readKspace(slice)).data;

describe('lines', () => {
  test('land at their columns, in whatever order', () =>
    withScan(square, lines([4, 0, 5, 2, 1, 3]), async (scan) => {
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
    return withScan(partial, lines([0, 1, 2, 3]), async (scan) => {
      expect(scan).toMatchObject({ acquiredColumns: [2, 6], fullySampled: true });
      expect(await read(scan)).toEqual(kspaceOf((c, x, ky) => (ky < 2 ? [0, 0] : sample(line(ky - 2), c, x))));
    });
  });

  test('missing ones make a mask', () =>
    withScan(square, lines([0, 2, 3]), (scan) => {
      expect(scan.mask).toEqual({ shape: [6], data: Uint8Array.of(1, 0, 1, 1, 0, 0) });
    }));

  test('repeated ones are averaged', () =>
    withScan(square, [...lines(), { ...line(20), ky: 3 }, { ...line(21), ky: 3 }], async (scan) => {
      const expected = kspaceOf((coil, x, ky) => {
        if (ky !== 3) return sample(line(ky), coil, x);
        const three = [line(3), line(20), line(21)].map((one) => sample(one, coil, x));
        return [0, 1].map((part) => three.reduce((sum, one) => sum + one[part] / 3, 0)) as [number, number];
      });
      expect(relativeError(await read(scan), expected)).toBeLessThan(TOLERANCE);
      expect(scan.contents?.averages).toBe(3);
    }));

  test('reversed ones are taken last sample first', () =>
    withScan(square, [...lines([0, 1, 2, 3, 4]), { ...line(5), ky: 5, flags: [22] }], async (scan) => {
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
    withScan(square, [{ ...line(30), flags, ky: 2 }, ...lines()], async (scan) => {
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
    return withScan({ ...square, encoding: calibrationMode }, acquisitions, (scan) => {
      expect(scan.mask?.data).toEqual(Uint8Array.of(1, 0, 1, counted, 1, 0));
    });
  });

  test('of another encoding space are left out', () =>
    withScan(square, [...lines(), { ...line(40, 4), encodingSpace: 1 }], (scan) => {
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

describe('several images in one file', () => {
  test('slices follow their numbers', () => {
    const stack = [7, 2].flatMap((slice) =>
      lines().map((one) => ({ ...one, ...line(slice + 10 * (one.ky ?? 0)), slice })),
    );
    return withScan(square, stack, async (scan) => {
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
    return withScan(stated, stack, async (scan) => {
      const { slices, phaseEncodes, matrix, fullySampled } = scan;
      expect([slices, phaseEncodes, matrix, fullySampled]).toEqual([4, 1, [READOUT, COLUMNS], true]);
      expect(await read(scan, 3)).toEqual(kspaceOf((coil, x, ky) => sample(line(3 + 10 * ky), coil, x)));
    });
  });

  const echoes = [0, 1].flatMap((contrast) =>
    lines().map((one) => ({ ...one, ...line(50 * contrast + (one.ky ?? 0)), contrast })),
  );

  test('the lowest contrast is read unless another is chosen', async () => {
    await withScan(square, echoes, async (scan) => {
      expect(await read(scan)).toEqual(kspaceOf((coil, x, ky) => sample(line(ky), coil, x)));
      expect(scan.contents).toMatchObject({ available: { contrast: [0, 1] }, selected: { contrast: 0 } });
    });
    await withScan(
      square,
      echoes,
      async (scan) => expect(await read(scan)).toEqual(kspaceOf((coil, x, ky) => sample(line(50 + ky), coil, x))),
      { contrast: 1 },
    );
  });

  test('a contrast or group that is not there is refused', async () => {
    await expect(withScan(square, echoes, () => {}, { contrast: 2 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(withScan(square, echoes, () => {}, { dataset: 'x' })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});

describe('noise', () => {
  test('is scaled from its own bandwidth to that of the lines', () => {
    const measured = [60, 61].map((seed) => ({ ...line(seed, 5), flags: [19], sampleTime: 4 }));
    const imaging = lines().map((one) => ({ ...one, sampleTime: 8 }));
    const system = '<relativeReceiverNoiseBandwidth>0.8</relativeReceiverNoiseBandwidth>';
    return withScan({ ...square, system }, [...measured, ...imaging], async (scan) => {
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
    await expect(withScan(header, acquisitions, (scan) => read(scan))).rejects.toMatchObject({
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
  withScan(square, lines(), async (scan) => {
    const controller = new AbortController();
    const reading = scan.readKspace(0, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    expect((await scan.readKspace(0)).shape).toEqual([COILS, READOUT, COLUMNS]);
  }));

const GENERATOR = '/usr/bin/ismrmrd_generate_cartesian_shepp_logan';

const withGenerator = describe.skipIf(!existsSync(GENERATOR));

withGenerator(`a file of ISMRMRD's own ${GENERATOR} (skipped where it is not installed)`, () => {
  const generate = (...options: readonly string[]): string => {
    const path = file(`phantom${options.join('')}.h5`); // the program appends to a file that exists
    execFileSync(GENERATOR, ['-m', '64', '-c', '4', '-C', ...options, '-o', path], { stdio: 'ignore' });
    return path;
  };

  test('gives the coil images that the file also holds', async () => {
    const path = generate('-n', '0');
    await using scan = await openScan(path);
    expect(scan).toMatchObject({ matrix: [64, 64], coils: 4, fullySampled: true, contents: { lines: 64, noise: 1 } });
    const { data } = await ifft2(await scan.readKspace(0));
    // [1, coil, phase encode, readout], the readout twice oversampled.
    await using raw = await Hdf5Reader.open(path);
    const stored = await raw.readComplex('dataset/coil_images', { start: [0, 0, 0, 32], count: [1, 4, 64, 64] });
    const transposed = new Float32Array(stored.length);
    for (let i = 0; i < stored.length / 2; i += 1) {
      const [coil, y, x] = [Math.floor(i / 4096), Math.floor(i / 64) % 64, i % 64];
      transposed.set(stored.subarray(2 * i, 2 * i + 2), 2 * ((coil * 64 + x) * 64 + y));
    }
    const energy = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    const scale = energy(transposed) / energy(data);
    expect(
      relativeError(
        data.map((value) => scale * value),
        transposed,
      ),
    ).toBeLessThan(TOLERANCE);
  });

  test('accelerated, with calibration lines and repetitions', async () => {
    await using scan = await openScan(generate('-a', '2', '-w', '16'), { repetition: 1 });
    expect(scan.contents).toMatchObject({ available: { repetition: [0, 1] }, selected: { repetition: 1 } });
    const expected = Uint8Array.from({ length: 64 }, (_, ky) => (ky % 2 === 1 || (ky >= 24 && ky < 40) ? 1 : 0));
    expect(scan.mask).toEqual({ shape: [64], data: expected });
    expect((await scan.readNoise())?.shape).toEqual([4, 128]);
  });
});

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
