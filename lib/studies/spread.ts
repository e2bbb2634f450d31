// Means, spreads and worst values over slices.
import { LarmorError } from '../errors.js';
import type { Metric, Statistic } from './target-schema.js';

/** Over the slices of a test. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation over the slices, not of the mean. */
  readonly deviation: number;
  /** The lowest, or of errors the highest. */
  readonly worst: number;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** @throws LarmorError `ERR_INTERNAL` without values. */
export function spreadOf(values: readonly number[], metric: Metric): Spread {
  if (values.length === 0) throw new LarmorError('ERR_INTERNAL', 'study: no values to average');
  const average = mean(values);
  const deviation = Math.sqrt(mean(values.map((value) => (value - average) ** 2)));
  return { mean: average, deviation, worst: worstOf(values, metric) };
}

/** One number for all slices. */
export function statisticOf(values: readonly number[], metric: Metric, statistic: Statistic): number {
  switch (statistic) {
    case 'mean':
      return mean(values);
    case 'worst':
      return worstOf(values, metric);
    case 'absolute-mean':
      return Math.abs(mean(values));
    case 'mean-absolute':
      return mean(values.map(Math.abs));
  }
}

function worstOf(values: readonly number[], metric: Metric): number {
  return metric === 'nmse' ? Math.max(...values) : Math.min(...values);
}
