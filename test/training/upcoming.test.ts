// How many batches are prepared ahead: as many as asked for, and as the memory of the data holds.
import { expect, test } from 'vitest';
import { createNetwork } from '#larmor/networks/network.js';
import { Dataset } from '#larmor/training/dataset.js';
import { LOSSES } from '#larmor/training/losses.js';
import type { TrainingPlan } from '#larmor/training/plan.js';
import { MemoryBudget } from '#larmor/training/prepared-slices.js';
import { phantomSource } from '#larmor/training/sources.js';
import { train } from '#larmor/training/trainer.js';
import { batchesAhead } from '#larmor/training/upcoming.js';

const [SIZE, COILS] = [32, 2];
const source = phantomSource({
  families: ['limb'],
  subjects: 4,
  slices: 1,
  size: SIZE,
  coils: COILS,
  snr: [50, 100],
  seed: 1,
});
const sampling = { type: 'random', acceleration: 3, centerFraction: 0.25, fixed: false, seed: 4 } as const;
const plan: TrainingPlan = {
  loss: LOSSES.joint,
  steps: 6,
  batch: 2,
  optimiser: {},
  schedule: 'constant',
  seed: 3,
  validateEvery: 6,
};
/** K-space, maps, target; and at most four data of all coils with eleven real images. */
const SLICE_BYTES = 8 * (2 * COILS + 1) * SIZE * SIZE;
const EXAMPLE_BYTES = (8 * 4 * COILS + 4 * 11) * SIZE * SIZE;

test('memory goes to the examples that wait, then to the slices', async () => {
  const prepare = async (bytes: number): Promise<{ waiting: number; reads: number }> => {
    let reads = 0;
    const counted = {
      ...source,
      read: (...given: Parameters<typeof source.read>) => {
        reads += 1;
        return source.read(...given);
      },
    };
    const memory = new MemoryBudget(bytes);
    const { waiting } = await Dataset.prepare(counted, { sampling, input: 'sense', memory, waiting: 3 });
    return { waiting, reads };
  };
  expect(await prepare(3 * EXAMPLE_BYTES + 2.5 * SLICE_BYTES)).toEqual({ waiting: 3, reads: 2 });
  expect(await prepare(EXAMPLE_BYTES)).toEqual({ waiting: 1, reads: 0 });
  expect(await prepare(0)).toEqual({ waiting: 0, reads: 0 });
});

test('batches of the steps asked for wait, as far as memory was taken, at least one unless none is asked for', () => {
  const ahead = (waiting: number, prefetch?: number, accumulate?: number): number =>
    batchesAhead({ plan: { ...plan, accumulate }, prefetch, training: { waiting } as Dataset });
  expect(ahead(Number.POSITIVE_INFINITY)).toBe(1);
  expect(ahead(Number.POSITIVE_INFINITY, 3, 4)).toBe(12);
  expect(ahead(9, 3, 4)).toBe(4);
  expect(ahead(0, 3)).toBe(1);
  expect(ahead(9, 0)).toBe(0);
});

test('training without memory to spare never has more than one batch waiting', async () => {
  let reads = 0;
  const counted = {
    ...source,
    read: (...given: Parameters<typeof source.read>) => {
      reads += 1;
      return source.read(...given);
    },
  };
  const training = await Dataset.prepare(counted, { sampling, input: 'sense', memory: new MemoryBudget(0) });
  const network = createNetwork('unet', { channels: 2, pools: 2, residual: true });
  const beyond: number[] = [];
  const onProgress = ({ step }: { readonly step: number }): void => {
    beyond.push(reads - step * plan.batch);
  };
  await train({ network, plan, training, prefetch: 5, threads: 1, onProgress });
  expect(Math.max(...beyond)).toBeLessThanOrEqual(plan.batch);
});
