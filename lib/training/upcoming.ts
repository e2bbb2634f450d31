// The batches of the steps to come: which slices they hold, and how many of them are prepared ahead.
import { batchesOf, type Draw } from './batches.js';
import type { TrainOptions } from './plan.js';

/** The batches that follow after so many steps. */
export function upcomingBatches(
  { plan, training }: Pick<TrainOptions, 'plan' | 'training'>,
  steps: number,
): Iterator<readonly Draw[], never> {
  const kinds = Array.from({ length: training.length }, (_, i) => String(training.shape(i)));
  const batches = batchesOf(kinds, plan.batch, plan.seed);
  for (let made = steps * (plan.accumulate ?? 1); made > 0; made--) batches.next();
  return batches;
}

/** Batches to prepare ahead: those of so many steps as far as the memory of the data holds them, at least one where any are asked for. */
export function batchesAhead({
  plan,
  prefetch = 1,
  training,
}: Pick<TrainOptions, 'plan' | 'prefetch' | 'training'>): number {
  return Math.min(prefetch * (plan.accumulate ?? 1), Math.max(1, Math.floor(training.waiting / plan.batch)));
}
