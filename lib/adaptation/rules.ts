// When adaptation stops, and whether what it gained is more than chance.
import type { AdaptationSettings } from './options.js';

const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i];
  return sum / values.length;
};

/** True once the window rule of the paper says stop, given the held-out losses recorded so far. */
export function windowRuleSaysStop(heldOut: readonly number[], window: number): boolean {
  if (heldOut.length <= 3 * window) return false;
  return mean(heldOut.slice(-window)) > mean(heldOut.slice(-2 * window, -window));
}

/**
 * Whether the rule of the settings ends the run.
 *
 * @param heldOut Losses recorded so far: of every iteration where `stepsJudge`, else of every `interval`-th.
 * @param sinceBest Iterations since the best of them.
 */
export function ruleSaysStop(
  { stop, interval }: Pick<AdaptationSettings, 'stop' | 'interval'>,
  heldOut: readonly number[],
  sinceBest: number,
  stepsJudge: boolean,
): boolean {
  if (stop.rule === 'patience') return sinceBest >= stop.patience;
  return windowRuleSaysStop(heldOut, stepsJudge ? stop.window : Math.ceil(stop.window / interval));
}

/**
 * By how many standard errors the mean misfit of the same samples has fallen: the paired t statistic. Differences of one sample share its
 * noise, which so cancels; 2 is beyond chance in 39 of 40 cases where nothing was gained.
 * 0 of a single sample, which tells nothing about chance.
 *
 * @param before Misfit of every held-out sample, and `after` the same with other weights.
 */
export function improvement(before: ArrayLike<number>, after: ArrayLike<number>): number {
  const differences = Float64Array.from(before, (misfit, i) => misfit - after[i]);
  if (differences.length < 2) return 0;
  const gained = mean(differences);
  const variance = mean(differences.map((difference) => (difference - gained) ** 2));
  if (variance === 0) return gained === 0 ? 0 : Math.sign(gained) * Number.POSITIVE_INFINITY;
  return gained / Math.sqrt(variance / (differences.length - 1));
}
