// Training that is killed or loses its files: what is kept, and that going on gives what an undisturbed run gives, to the bit.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { createNetwork } from '#larmor/networks/network.js';
import { loadCheckpoint } from '#larmor/training/checkpoint.js';
import { Dataset } from '#larmor/training/dataset.js';
import { LOSSES } from '#larmor/training/losses.js';
import type { TrainingSampling } from '#larmor/training/measurement.js';
import { readMetrics } from '#larmor/training/metrics-log.js';
import type { TrainOptions } from '#larmor/training/plan.js';
import { MemoryBudget } from '#larmor/training/prepared-slices.js';
import { phantomSource, scanSource } from '#larmor/training/sources.js';
import { train } from '#larmor/training/trainer.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';

const file = temporaryFolder();
const main = resolve(import.meta.dirname, '../../dist/cli/main.js');

test('a run killed outright and resumed ends with the model and the metrics of an undisturbed one', async () => {
  const phantom = { source: 'phantom', families: ['limb'], subjects: 2, size: 32, coils: 2 };
  const config = file('config.json');
  await writeFile(
    config,
    JSON.stringify({
      network: { kind: 'unet', channels: 2, pools: 2, residual: true },
      training: phantom,
      validation: { ...phantom, seed: 1 },
      undersampling: { acceleration: 3, centerFraction: 0.25 },
      steps: 60,
      accumulate: 2,
      clip: 0.5,
      average: 0.9,
      schedule: { kind: 'plateau', warmUp: 3, patience: 1, factor: 0.5 },
      optimiser: { learningRate: 0.01 },
      validateEvery: 20,
      pictures: 0,
      checkpointEvery: 7,
    }),
  );
  const command = (output: string, ...more: string[]): string[] => [
    'train',
    config,
    '-o',
    output,
    '--threads',
    '1',
    ...more,
  ];
  const [whole, killed] = [file('whole.safetensors'), file('killed.safetensors')];
  expect((await runCli(command(whole))).exitCode).toBe(0);

  const child = spawn(process.execPath, [main, ...command(killed)], { stdio: 'ignore' });
  const end = once(child, 'exit');
  while (!existsSync(`${killed}.checkpoint`) && child.exitCode === null) await delay(2);
  child.kill('SIGKILL');
  expect(await end).toEqual([null, 'SIGKILL']);
  expect(existsSync(killed)).toBe(false);
  const resumed = await runCli(command(killed, '--resume', '--json'));
  expect(resumed.exitCode).toBe(0);
  expect(resumed.stderr).not.toMatch(/starting anew/);
  expect(await readFile(killed)).toEqual(await readFile(whole));

  const measured = async (path: string): Promise<object[]> =>
    (await readMetrics(`${path}.metrics.jsonl`)).map((row) => ({ ...row, seconds: 0 }));
  const rows = await measured(whole);
  expect(rows).toHaveLength(60 + 3);
  expect(await measured(killed)).toEqual(rows);
});

const COILS = 2;
const sampling: TrainingSampling = { type: 'random', acceleration: 3, centerFraction: 0.25, fixed: false, seed: 4 };
const anatomies = phantomSource({
  families: ['limb'],
  subjects: 4,
  slices: 1,
  size: 32,
  coils: COILS,
  snr: [50, 100],
  seed: 1,
});

test('a slice is the same whether it stays in memory or is prepared anew', async () => {
  const names = ['image', 'kspace', 'maps', 'target'];
  const kept = await Dataset.prepare(anatomies, { sampling, input: 'sense' });
  const bytes = 8 * (2 * COILS + 1) * 32 * 32;
  let reads = 0;
  const counted = {
    ...anatomies,
    read: (...given: Parameters<typeof anatomies.read>) => {
      reads += 1;
      return anatomies.read(...given);
    },
  };
  const partly = await Dataset.prepare(counted, { sampling, input: 'sense', memory: new MemoryBudget(2.5 * bytes) });
  expect(reads).toBe(2);
  for (const index of [0, 3, 3])
    expect(await partly.sample(index, 2, names)).toEqual(await kept.sample(index, 2, names));
  expect(reads).toBe(4);
  const none = { ...anatomies, length: 0 };
  await expect(Dataset.prepare(none, { sampling, input: 'sense' })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

test('a file that vanishes is named, a checkpoint is written, and the run goes on from it once the file is back', async () => {
  const paths = await Promise.all(
    [0, 1].map(async (i) => {
      await using scan = await ScanWriter.create(file(`scan${i}.h5`), { slices: 2, coils: COILS, matrix: [32, 32] });
      for (const slice of [0, 1]) await scan.writeKspace(slice, await anatomies.read(2 * i + slice));
      await scan.commit();
      return file(`scan${i}.h5`);
    }),
  );
  const network = createNetwork('unet', { channels: 2, pools: 2, residual: true });
  const plan = {
    loss: LOSSES.joint,
    steps: 12,
    batch: 1,
    optimiser: {},
    schedule: 'cosine',
    seed: 3,
    validateEvery: 12,
  } as const;
  const open = async (): Promise<Dataset> =>
    Dataset.prepare(await scanSource(paths), { sampling, input: 'sense', memory: new MemoryBudget(0) });
  const run = async (options: Partial<TrainOptions> = {}): ReturnType<typeof train> =>
    train({ network, plan, training: await open(), threads: 1, ...options });
  const whole = await run();

  const checkpoint = { path: file('vanished.checkpoint'), every: 0, resume: false, run: 'v' };
  const away = file('elsewhere.h5');
  let moving: Promise<void> | undefined;
  const onProgress = ({ step }: { step: number }): void => {
    if (step === 2) moving = rename(paths[1], away);
  };
  const failure = await run({ checkpoint, onProgress }).catch((error: unknown) => error);
  await moving;
  expect(failure).toMatchObject({
    code: 'ERR_FILE_NOT_FOUND',
    message: expect.stringMatching(
      /training stopped after step \d+: .*scan1\.h5.*[^.]\. The checkpoint of step \d+ is kept in .*vanished/,
    ),
  });
  const { steps } = (await loadCheckpoint(checkpoint.path, 'v')).state;
  expect(steps).toBeGreaterThanOrEqual(2);
  expect(steps).toBeLessThan(12);
  await rename(away, paths[1]);
  const resumed = await run({ checkpoint: { ...checkpoint, resume: true } });
  expect(resumed.weights.data).toEqual(whole.weights.data);
});
