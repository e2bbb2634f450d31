// Learning-rate schedules: the rate of a step as a function of its number and of the validations so far.
import type { Validation } from './checkpoint.js';

/** How the learning rate changes, relative to the optimiser's. */
export type Schedule = {
  /** Steps over which the rate rises linearly from 0 to its full value. Default: none. */
  readonly warmUp?: number | undefined;
} & (
  | { readonly kind: 'constant' }
  /** Half a cosine from the end of the warm-up to the last step, down to `floor` times the full rate. */
  | { readonly kind: 'cosine'; readonly floor?: number | undefined }
  /** Times `factor` after every `every` steps. */
  | { readonly kind: 'step'; readonly every: number; readonly factor: number }
  /** Times `factor`, and no lower than `floor` times the full rate, whenever `patience` validations in a row were no better. */
  | {
      readonly kind: 'plateau';
      readonly patience: number;
      readonly factor: number;
      readonly floor?: number | undefined;
    }
);

/**
 * The factor of the learning rate for step `step`, the first being 0, of `steps`. It follows from its arguments alone, so that a run goes
 * on from a checkpoint as if it had never stopped.
 */
export function learningRateFactor(
  schedule: Schedule,
  step: number,
  steps: number,
  validations: readonly Pick<Validation, 'loss'>[],
): number {
  const { warmUp = 0 } = schedule;
  // Step 0 already moves, and step `warmUp` is the first at the full rate.
  const rise = step < warmUp ? (step + 1) / (warmUp + 1) : 1;
  switch (schedule.kind) {
    case 'constant':
      return rise;
    case 'cosine': {
      const { floor = 0 } = schedule;
      const progress = Math.max(0, step - warmUp) / (steps - Math.min(warmUp, steps - 1));
      return rise * (floor + ((1 - floor) / 2) * (1 + Math.cos(Math.PI * progress)));
    }
    case 'step':
      return rise * schedule.factor ** Math.floor(step / schedule.every);
    case 'plateau':
      return rise * Math.max(schedule.floor ?? 0, schedule.factor ** plateaus(validations, schedule.patience));
  }
}

/** How often `patience` validations in a row were no better than the best before them. */
function plateaus(validations: readonly Pick<Validation, 'loss'>[], patience: number): number {
  let best = Number.POSITIVE_INFINITY;
  let count = 0;
  let since = 0;
  for (const { loss } of validations) {
    since += 1;
    if (loss < best) {
      best = loss;
      since = 0;
    }
    if (since === patience) {
      count += 1;
      since = 0;
    }
  }
  return count;
}
