// The ready configurations of the paper's shifts on a small folder: which of its files they take, and that they run.
import { mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openScan } from '#larmor/io/scan.js';
import { modelTraining, parseStudyConfig } from '#larmor/studies/config.js';
import { outlineStudy } from '#larmor/studies/outline.js';
import type { FileSlices } from '#larmor/studies/outline-sources.js';
import { runStudy } from '#larmor/studies/study.js';
import { summarise } from '#larmor/studies/summary.js';
import { drawMask } from '#larmor/training/measurement.js';
import { relativeError } from '../support/complex.js';
import { type FastmriFile, writeFolder, writeStanford } from '../support/fastmri-folder.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const file = temporaryFolder();
const examples = resolve(import.meta.dirname, '../../examples/studies/fastmri');

type Shift = 'anatomy' | 'dataset' | 'modality' | 'acceleration';
const raw = (shift: Shift): string => readFileSync(`${examples}/${shift}.json`, 'utf8');

// The same with everything small: a tenth of the side, few files and slices, networks of one level, a step for each slice.
const SMALLER: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  rows: { 320: 32 },
  columns: { 372: 36, 396: 40, 320: 32 },
  files: { 188: 2, 183: 2, 310: 2, 160: 2, 14: 2, 4: 1 },
  skip: { 14: 2 },
  atMost: { 100: 1, 76: 2, 97: 1 },
  middle: { 22: 2 },
  epochs: { 300: 1 },
  channels: { 64: 2, 18: 2 },
  pools: { 4: 1 },
  cascades: { 12: 1 },
  acceleration: { 4: 2, 2: 1.5 },
  centerFraction: { 0.08: 0.35, 0.1: 0.4, 0.18: 0.5 },
};
const reduced = (shift: Shift): object =>
  JSON.parse(raw(shift), (key, value) => {
    if (key === 'adapt') return { ...value, maxIterations: 2 };
    if (key === 'crop') return value.map((side: number) => Math.floor(side / 10));
    return SMALLER[key]?.[value] ?? value;
  });

const COILS = 3;
const knee = (acquisition: string, slices: number, columns = 36, tesla = 3): FastmriFile => ({
  ...{ acquisition, matrix: [48, columns], slices, coils: COILS, crop: 32, tesla },
});
const brain = (acquisition: string, slices: number, columns: number): FastmriFile => ({
  ...{ acquisition, matrix: [48, columns], slices, coils: COILS, crop: columns === 40 ? 38 : 32 },
});
const FOLDER = {
  'knee/multicoil_train/file1000001.h5': knee('CORPD_FBK', 4),
  'knee/multicoil_train/file1000002.h5': knee('CORPDFS_FBK', 5),
  'knee/multicoil_train/file1000003.h5': knee('CORPD_FBK', 4, 34),
  'knee/multicoil_train/file1000004.h5': knee('CORPD_FBK', 5, 36, 1.5),
  'knee/multicoil_train/file1000005.h5': knee('CORPDFS_FBK', 4, 34),
  'knee/multicoil_train/file1000006.h5': knee('CORPDFS_FBK', 3, 36, 1.5),
  'knee/multicoil_train/file1000007.h5': knee('CORPD_FBK', 4),
  'knee/multicoil_val/file1000010.h5': knee('CORPDFS_FBK', 4),
  'knee/multicoil_val/file1000011.h5': knee('CORPD_FBK', 4, 34),
  'knee/multicoil_val/file1000012.h5': knee('CORPD_FBK', 5),
  'knee/multicoil_val/file1000013.h5': knee('CORPD_FBK', 4),
  'brain/multicoil_train/file_brain_AXFLAIR_200_6002462.h5': brain('AXFLAIR', 4, 40),
  'brain/multicoil_train/file_brain_AXT1POST_200_6001959.h5': brain('AXT1POST', 4, 32),
  'brain/multicoil_train/file_brain_AXT1PRE_200_6002417.h5': brain('AXT1PRE', 4, 32),
  'brain/multicoil_train/file_brain_AXT1PRE_200_6002500.h5': brain('AXT1PRE', 4, 40),
  'brain/multicoil_train/file_brain_AXT1PRE_203_6000600.h5': brain('AXT1PRE', 5, 32),
  'brain/multicoil_train/file_brain_AXT2_200_2000019.h5': brain('AXT2', 5, 40),
  'brain/multicoil_train/file_brain_AXT2_200_2000357.h5': brain('AXT2', 4, 32),
  'brain/multicoil_train/file_brain_AXT2_201_2010106.h5': brain('AXT2', 4, 40),
  'brain/multicoil_val/file_brain_AXT1PRE_200_6002079.h5': brain('AXT1PRE', 3, 32),
  'brain/multicoil_val/file_brain_AXT2_200_2000092.h5': brain('AXT2', 4, 32),
  'brain/multicoil_val/file_brain_AXT2_209_6001308.h5': brain('AXT2', 4, 40),
};
const STANFORD_FILES = ['52c2fd53', '7c454240', 'b4b1b3c5', '0a1b2c3d'].map((id) => `${id}-d233-4444-8bfd.h5`);

const files = (folder: string, ...slices: [string, number, number][]): FileSlices[] =>
  slices.map(([name, first, end]) => ({ path: `${folder}/${name}.h5`, slices: [first, end] }));
const PD_FILES = files('knee/multicoil_train', ['file1000001', 1, 3], ['file1000004', 1, 3]);
const T2_FILES = files(
  'brain/multicoil_train',
  ['file_brain_AXT2_200_2000019', 2, 3],
  ['file_brain_AXT2_201_2010106', 2, 3],
);
const taken: Readonly<Record<Shift, Readonly<Record<'P' | 'Q' | 'test', FileSlices[]>>>> = {
  anatomy: { P: PD_FILES, Q: T2_FILES, test: files('brain/multicoil_val', ['file_brain_AXT2_209_6001308', 2, 3]) },
  dataset: {
    P: files('knee/multicoil_train', ['file1000002', 1, 3], ['file1000006', 0, 2]),
    Q: files('stanford', ['52c2fd53-d233-4444-8bfd', 1, 3], ['7c454240-d233-4444-8bfd', 1, 3]),
    test: files('stanford', ['b4b1b3c5-d233-4444-8bfd', 1, 3]),
  },
  modality: {
    P: T2_FILES,
    Q: files(
      'brain/multicoil_train',
      ['file_brain_AXT1PRE_200_6002417', 1, 3],
      ['file_brain_AXT1PRE_203_6000600', 1, 3],
    ),
    test: files('brain/multicoil_val', ['file_brain_AXT1PRE_200_6002079', 1, 2]),
  },
  acceleration: { P: PD_FILES, Q: PD_FILES, test: files('knee/multicoil_val', ['file1000012', 2, 3]) },
};

const shifts = Object.keys(taken) as Shift[];

describe('on files in the layouts of fastMRI and mridata.org', () => {
  const data = file('data');
  beforeAll(async () => {
    await writeFolder(data, FOLDER);
    mkdirSync(`${data}/stanford`);
    for (const name of STANFORD_FILES)
      await writeStanford(`${data}/stanford/${name}`, name.startsWith('0') ? 24 : 32, 4, 2);
  });

  test.each(shifts)('the %s shift takes the files and slices of the paper, and runs', async (shift) => {
    const study = parseStudyConfig(reduced(shift), shift);
    const outline = await outlineStudy(study, { data, threads: 1 });
    const [P, Q] = outline.domains;
    const [{ data: tested, cases }] = outline.tests;
    expect({ P: P.training.files, Q: Q.training.files, test: tested.files }).toEqual(taken[shift]);
    const wanted = (facts: FileSlices[]): number =>
      facts.reduce((sum, { slices: [first, end] }) => sum + end - first, 0);
    for (const { domain, steps } of outline.models)
      expect(steps).toBe(wanted(taken[shift][domain === 'P' ? 'P' : 'Q']));
    expect(cases).toBe(wanted(taken[shift].test));
    expect(tested.sizes).toEqual(Q.training.sizes.map((size) => ({ ...size, slices: cases })));
    expect(outline.seconds).toBeGreaterThan(0);

    const run = await runStudy(study, { data, folder: file('out'), threads: 1 });
    // Zero-filled, CG-SENSE and wavelets, and eight models as they are and adapted.
    expect(run.work.made + run.work.known).toBe(19 * cases);
    const [{ n, rows, gaps }] = summarise(study, run).tests;
    expect(n).toBe(cases);
    for (const { name, ssim, iterations } of rows) {
      expect([name, Number.isFinite(ssim.mean)]).toEqual([name, true]);
      expect([name, iterations]).toEqual([name, name.includes('paper') ? 2 : undefined]);
    }
    expect(new Set(gaps.map((gap) => gap.shift))).toEqual(new Set(['U-Net', 'VarNet']));

    // What is scored against is the reference of the file, where it has one.
    const [{ path, slices }] = taken[shift].test;
    const ready = await run.cases[0][0].prepare({ threads: 1 });
    expect(ready.mask.data).toEqual(
      drawMask(modelTraining(study, 'U-Net Q-joint', 1).undersampling, ready.mask.data.length, [0]).data,
    );
    await using scan = await openScan(`${data}/${path}`);
    const reference = await scan.readReference(slices[0]);
    if (reference) expect(relativeError(ready.reference.data, reference.data)).toBeLessThan(1e-5);
    else expect(shift).toBe('dataset');
  });

  test('everything that is missing is told at once, with what is there instead', async () => {
    const more = JSON.parse(JSON.stringify(reduced('anatomy')), (key, value) => (key === 'files' ? 4 : value));
    const message = await outlineStudy(parseStudyConfig(more), { data }).then(
      () => '',
      (error) => `${error.code}: ${error.message}`,
    );
    expect(message.split('\n')).toEqual([
      `ERR_FILE_NOT_FOUND: ${data}/knee/multicoil_train: wants 4 *.h5 of acquisition CORPD_FBK, 36 columns; 3 of the 7 files of that name fit ` +
        '(the others: 2 of CORPDFS_FBK, 48 x 36, 3 coils; 1 of CORPD_FBK, 48 x 34, 3 coils; 1 of CORPDFS_FBK, 48 x 34, 3 coils). ' +
        'They are part of the fastMRI data set, multi-coil knee',
      `${data}/brain/multicoil_train: wants 4 file_brain_AXT2_*.h5 of acquisition AXT2, 40 columns; 2 of the 3 files of that name fit ` +
        '(the others: 1 of AXT2, 48 x 32, 3 coils). They are part of the fastMRI data set, multi-coil brain',
    ]);
    const elsewhere = parseStudyConfig(reduced('dataset'));
    await expect(runStudy(elsewhere, { data: file('none'), folder: file('out') })).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
      message: expect.stringMatching(
        /none\/stanford: wants 3 \*\.h5 of 32 rows, 32 columns; there is no such folder. They are part of the Stanford/,
      ),
    });
  });
});
