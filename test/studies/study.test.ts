// Whole studies on phantoms: stopped and gone on with, models from files, recipes that go from slice to slice.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseStudyConfig } from '#larmor/studies/config.js';
import { digestOf, fileFingerprint } from '#larmor/studies/digest.js';
import { runPool } from '#larmor/studies/pool.js';
import { runStudy, type StudyRun } from '#larmor/studies/study.js';
import { summarise } from '#larmor/studies/summary.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const file = temporaryFolder();

const phantom = (seed: number, subjects: number, slices = 1): object => ({
  source: 'phantom',
  families: ['limb'],
  subjects,
  slices,
  size: 32,
  coils: 3,
  seed,
});
const small = {
  title: 'small',
  undersampling: { type: 'random', acceleration: 2, centerFraction: 0.25 },
  training: { network: { kind: 'unet', channels: 2, pools: 2 }, epochs: 3, batch: 2 },
  domains: { P: { training: phantom(1, 4) } },
  models: { 'P-joint': { domain: 'P' } },
  recipes: { chain: { adapt: { maxIterations: 4, start: 'previous-slice' } } },
  baselines: { cgSense: [0.1, 0.001], l1Wavelet: [0.003] },
  tests: [{ name: 'limbs', data: phantom(2, 1, 3), masks: [0, 1], maskPerSlice: true }],
};
const study = parseStudyConfig(small);
const run = (folder: string, options: object = {}): Promise<StudyRun> =>
  runStudy(study, { data: '.', folder: file(folder), threads: 1, ...options });

/** Everything that was measured, times aside. */
const scores = (result: StudyRun, config = study): unknown =>
  summarise(config, result).tests.map(({ rows }) =>
    rows.map(({ name, slices }) => [name, slices.map(({ ssim, nmse }) => [ssim, nmse])]),
  );

describe('a study', () => {
  let whole: StudyRun;
  beforeAll(async () => {
    whole = await run('whole');
  });

  test('counts epochs in steps, and every slice under every mask', () => {
    // 4 slices, 3 epochs, 2 a step; 3 slices under 2 masks by zero-filled, CG-SENSE twice, wavelets, the model, and adapted.
    expect(whole.work).toEqual({ trained: 1, made: 36, known: 0 });
    const [{ n, rows }] = summarise(study, whole).tests;
    expect(n).toBe(6);
    // Of the two weights of CG-SENSE, the row shows the one of the higher mean.
    const means = [0.1, 0.001].map((lambda) => {
      const own = whole.results.filter(({ producer }) => 'lambda' in producer && producer.lambda === lambda);
      return own.reduce((sum, { result }) => sum + (result.scores.raw?.ssim ?? Number.NaN) / 6, 0);
    });
    const [cg, ...more] = rows.filter(({ name }) => name === 'CG-SENSE');
    expect(more).toEqual([]);
    expect(cg.lambda).toBe(means[0] > means[1] ? 0.1 : 0.001);
    expect(cg.ssim.mean).toBeCloseTo(Math.max(...means), 12);
    expect(rows.find(({ name }) => name === 'P-joint + chain')).toMatchObject({ iterations: 4 });
  });

  test('stopped while it trains, while it adapts, and gone on with: the same numbers', async () => {
    const stopAt = async (pattern: RegExp): Promise<void> => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const onProgress = (_: number, detail: string): void => {
        if (pattern.test(detail)) controller.abort(reason);
      };
      await expect(run('stopped', { signal: controller.signal, onProgress })).rejects.toBe(reason);
    };
    const models = (): string[] => readdirSync(file('stopped/models')).filter((name) => !name.endsWith('.jsonl'));
    await stopAt(/step 3 of 6/);
    expect(models()).toEqual([expect.stringMatching(/^P-joint-\w+\.safetensors\.checkpoint$/)]);
    await stopAt(/chain/);
    expect(models()).toEqual([expect.stringMatching(/^P-joint-\w+\.safetensors$/)]);
    const rest = await run('stopped');
    expect(rest.work.trained).toBe(0);
    expect(rest.work.known).toBeGreaterThan(0);
    expect(rest.work.known + rest.work.made).toBe(36);
    expect(scores(rest)).toEqual(scores(whole));
  });

  test('a trained file as a model gives what the trained model gave; other recipes share nothing', async () => {
    const [trained] = readdirSync(file('whole/models')).filter((name) => name.endsWith('.safetensors'));
    const config = parseStudyConfig({ ...small, models: { 'P-joint': { file: file(`whole/models/${trained}`) } } });
    const options = { data: '.', folder: file('whole'), threads: 1 };
    const again = await runStudy(config, options);
    expect(again.work).toEqual({ trained: 0, made: 0, known: 36 });
    expect(scores(again, config)).toEqual(scores(whole));
    const other = parseStudyConfig({
      ...small,
      recipes: { chain: { adapt: { maxIterations: 3, start: 'previous-slice' } } },
    });
    expect((await runStudy(other, options)).work).toEqual({ trained: 0, made: 6, known: 30 });
    expect((await run('whole', { fresh: true })).work).toEqual({ trained: 0, made: 36, known: 0 });
  });

  test('tells of a missing model before anything is trained', async () => {
    const config = parseStudyConfig({
      ...small,
      models: { ...small.models, other: { file: file('none.safetensors') } },
    });
    const options = { data: '.', folder: file('missing'), threads: 1 };
    await expect(runStudy(config, options)).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
      message: expect.stringContaining('none.safetensors'),
    });
    expect(existsSync(file('missing/models'))).toBe(false);
  });

  test('tells of data that are not there where it looked for them', async () => {
    const tests = [{ ...small.tests[0], data: { source: 'scans', paths: ['scan.h5'] } }];
    const config = parseStudyConfig({ ...small, tests });
    const options = { data: file('nowhere'), folder: file('missing'), threads: 1 };
    await expect(runStudy(config, options)).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
      message: expect.stringMatching(/scan\.h5.*begin in its data folder, now ".*nowhere": name another with --data/),
    });
  });

  test('keeps pictures of the slices asked for alone', () => {
    const images = readdirSync(file('whole/results')).filter((name) => name.endsWith('.safetensors'));
    // Slice 0 under the first mask, by each of the six, under two recipes of the chain.
    expect(images.length).toBe(7);
    expect(existsSync(file('whole/models'))).toBe(true);
  });
});

describe('digests', () => {
  test('heed values and their place, not the order of keys', () => {
    expect(digestOf({ a: 1, b: [1, 2] })).toBe(digestOf({ b: [1, 2], a: 1 }));
    expect(digestOf({ a: 1, b: [1, 2] })).not.toBe(digestOf({ a: 1, b: [2, 1] }));
    expect(digestOf({ a: { b: 1 } })).not.toBe(digestOf({ a: {}, b: 1 }));
  });

  test('of files heed every byte', async () => {
    const bytes = Buffer.alloc(3_000_000, 7);
    writeFileSync(file('a'), bytes);
    bytes[2_500_000] = 8;
    writeFileSync(file('b'), bytes);
    writeFileSync(file('c'), bytes);
    expect(await fileFingerprint(file('b'))).toBe(await fileFingerprint(file('c')));
    expect(await fileFingerprint(file('a'))).not.toBe(await fileFingerprint(file('b')));
  });
});

describe('a pool', () => {
  test('runs so many at once, in order', async () => {
    const started: number[] = [];
    let atWork = 0;
    let most = 0;
    const task = (index: number) => async (): Promise<void> => {
      started.push(index);
      atWork += 1;
      most = Math.max(most, atWork);
      await new Promise((done) => setImmediate(done));
      atWork -= 1;
    };
    await runPool([0, 1, 2, 3, 4].map(task), 2, undefined);
    expect(started).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  test('the first failure stops the others and is told', async () => {
    const failure = new Error('broken');
    let stopped = false;
    const waiting = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          stopped = true;
          reject(signal.reason);
        });
      });
    const never = (): Promise<void> => Promise.reject(new Error('was started'));
    await expect(runPool([waiting, () => Promise.reject(failure), never], 2, undefined)).rejects.toBe(failure);
    expect(stopped).toBe(true);
  });
});
