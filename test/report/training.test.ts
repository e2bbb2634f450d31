// Curves of a training run: what they hold, and means where there are many steps.
import { expect, test } from 'vitest';
import { trainingCharts } from '#larmor/report/training.js';
import type { MetricsRow } from '#larmor/training/metrics-log.js';

const steps = (count: number): MetricsRow[] =>
  Array.from({ length: count }, (_, i) => ({
    step: i + 1,
    seconds: i,
    loss: i % 2,
    learningRate: 0.5,
    gradientNorm: 2,
  }));

/** Coordinates of the path of one role. */
const path = (chart: string, role: string): number[][] =>
  (new RegExp(`<path class="line ${role}" d="M([^"]*)"`).exec(chart)?.[1] ?? '')
    .split('L')
    .map((pair) => pair.split(' ').map(Number));

test('loss of both kinds, figures of merit, rate and gradient, with the best validation marked', () => {
  const judged = [
    { step: 2, seconds: 2, validation: { loss: 0.5, ssim: 0.7, psnr: 20 } },
    { step: 4, seconds: 4, validation: { loss: 0.4, ssim: 0.8, psnr: 22 } },
    { step: 6, seconds: 6, validation: { loss: 0.6, ssim: 0.75, psnr: 21 } },
  ];
  const charts = trainingCharts([...steps(6), ...judged]);
  expect(charts).toHaveLength(5);
  expect(charts.map((chart) => chart.includes('best: 4'))).toEqual([true, true, true, false, false]);
  expect(path(charts[0], 'training')).toHaveLength(6);
  const ssim = path(charts[1], 'held-out');
  expect(ssim).toHaveLength(3);
  // Upwards is smaller: the second is the highest, the third lies half-way between the others.
  expect(ssim[2][1]).toBeCloseTo((ssim[0][1] + ssim[1][1]) / 2, 0);
});

test('without validation, without the curves of one; many steps as means of stretches', () => {
  const charts = trainingCharts(steps(1000));
  expect(charts).toHaveLength(3);
  const loss = path(charts[0], 'training');
  expect(loss).toHaveLength(200);
  // Five steps of 0 and 1 in turn: means of 0.4 and 0.6 by turns.
  expect(new Set(loss.map(([, y]) => y)).size).toBe(2);
});
