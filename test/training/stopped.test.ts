// What a stopped training run throws, and that an error outlives a checkpoint that cannot be written after it.
import { mkdirSync, renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LarmorError } from '#larmor/errors.js';
import { createNetwork } from '#larmor/networks/network.js';
import { loadCheckpoint } from '#larmor/training/checkpoint.js';
import { Dataset } from '#larmor/training/dataset.js';
import { LOSSES } from '#larmor/training/losses.js';
import { MemoryBudget } from '#larmor/training/prepared-slices.js';
import { phantomSource } from '#larmor/training/sources.js';
import { stoppedError } from '#larmor/training/stopped.js';
import { train } from '#larmor/training/trainer.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const file = temporaryFolder();
const full = new LarmorError('ERR_FILE_WRITE', 'cannot write x: no space left');
const kept = 'The checkpoint of step 2 is kept in x.';
const stopped = { steps: 3, aborted: false, failures: [full], kept };

test('the code of what stopped the run, what could not be saved and the last good checkpoint', async () => {
  const vanished = new LarmorError('ERR_FILE_NOT_FOUND', 'y is gone');
  expect(stoppedError(vanished, stopped)).toMatchObject({
    code: 'ERR_FILE_NOT_FOUND',
    message: `training stopped after step 3: y is gone. It could not be saved: cannot write x: no space left. ${kept}`,
    cause: vanished,
  });
  expect(stoppedError(vanished, { ...stopped, failures: [], kept: '' })).toMatchObject({
    message: 'training stopped after step 3: y is gone',
  });
  expect(stoppedError(full, stopped)).toMatchObject({
    message: `training stopped after step 3: cannot write x: no space left. ${kept}`,
  });
});

test('errors of other kinds come as they are, or all together; after an abort a checkpoint that is missing is the news', () => {
  const bug = new TypeError('no such thing');
  expect(stoppedError(bug, { ...stopped, failures: [] })).toBe(bug);
  expect(stoppedError(bug, stopped)).toMatchObject({ errors: [bug, full], message: expect.stringContaining(kept) });
  const reason = new Error('enough');
  expect(stoppedError(reason, { ...stopped, aborted: true, failures: [] })).toBe(reason);
  expect(stoppedError(reason, { ...stopped, aborted: true })).toMatchObject({
    code: 'ERR_FILE_WRITE',
    message: `training stopped after step 3. It could not be saved: cannot write x: no space left. ${kept}`,
  });
});

test('a run that loses its data and cannot write its checkpoint reports the data, and the checkpoint before is good', async () => {
  const anatomies = phantomSource({
    families: ['limb'],
    subjects: 2,
    slices: 1,
    size: 32,
    coils: 2,
    snr: [50, 100],
    seed: 1,
  });
  let broken = false;
  const source = {
    ...anatomies,
    read: (...given: Parameters<typeof anatomies.read>) => {
      if (broken) throw new LarmorError('ERR_FILE_FORMAT', 'slice 1 cannot be read');
      return anatomies.read(...given);
    },
  };
  const sampling = { type: 'random', acceleration: 3, centerFraction: 0.25, fixed: false, seed: 4 } as const;
  const training = await Dataset.prepare(source, { sampling, input: 'sense', memory: new MemoryBudget(0) });
  const [path, moved] = [file('full.checkpoint'), file('moved.checkpoint')];
  const onProgress = ({ step }: { readonly step: number }): void => {
    if (step !== 3) return;
    renameSync(path, moved);
    mkdirSync(path); // no file can be written there
    broken = true;
  };
  const run = train({
    network: createNetwork('unet', { channels: 2, pools: 2, residual: true }),
    plan: { loss: LOSSES.joint, steps: 9, batch: 1, optimiser: {}, schedule: 'constant', seed: 3, validateEvery: 9 },
    training,
    prefetch: 0,
    threads: 1,
    checkpoint: { path, every: 2, resume: false, run: 'v' },
    onProgress,
  });
  await expect(run).rejects.toMatchObject({
    code: 'ERR_FILE_FORMAT',
    message: expect.stringMatching(
      /after step \d: .*cannot be read\. It could not be saved: cannot write .*full.*\. The checkpoint of step 2 is kept/,
    ),
  });
  expect((await loadCheckpoint(moved, 'v')).state.steps).toBe(2);
});
