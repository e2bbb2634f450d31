import { describe, expect, test } from 'vitest';
import { type Adaptable, runAdaptation } from '#larmor/adaptation/loop.js';
import { type AdaptationOptions, adaptationSettings, learningRateAt } from '#larmor/adaptation/options.js';
import { improvement, windowRuleSaysStop } from '#larmor/adaptation/rules.js';
import { StepClock } from '#larmor/adaptation/step-clock.js';
import { LarmorError } from '#larmor/errors.js';
import { createNetwork } from '#larmor/networks/network.js';

/** Weights are the number of steps made; the held-out loss follows a given curve over them. */
class Scripted implements Adaptable<number> {
  weights = 0;
  evaluations = 0;
  constructor(
    readonly heldOut: (weights: number) => number,
    readonly stepsJudge = true,
  ) {}
  async evaluate() {
    this.evaluations += 1;
    return this.losses();
  }
  losses() {
    return { loss: 1 / (1 + this.weights), heldOutLoss: this.heldOut(this.weights) };
  }
  async step() {
    const losses = this.losses();
    this.weights += 1;
    return this.stepsJudge ? losses : { loss: losses.loss };
  }
  /** Four samples around the held-out loss, which differ by more than they change. */
  async misfits(weights: number) {
    return [-3, -1, 1, 3].map((offset) => 100 * offset + this.heldOut(weights));
  }
  save() {
    return this.weights;
  }
  restore(state: number) {
    this.weights = state;
  }
}

const run = (
  heldOut: (weights: number) => number,
  options: Parameters<typeof adaptationSettings>[0],
  now?: () => number,
) => {
  const adaptable = new Scripted(heldOut);
  return runAdaptation(adaptable, adaptationSettings(options), { now }).then((outcome) => ({ outcome, adaptable }));
};

describe('best weights', () => {
  test('come back when the held-out loss turns', async () => {
    const { outcome, adaptable } = await run((w) => 1 + (w - 20) ** 2, { interval: 5, maxIterations: 200 });
    expect(adaptable.weights).toBe(20);
    expect(outcome).toMatchObject({ verdict: 'adapted', stop: 'rule', bestIteration: 20, iterations: 51 });
    expect(outcome.validation).toEqual({ first: 401, best: 1, last: 1 + 31 ** 2 });
  });

  test('the last ones are judged too when the cap ends the run', async () => {
    const { outcome, adaptable } = await run((w) => 1 / (1 + w), { interval: 10, maxIterations: 24 });
    expect(adaptable.weights).toBe(24);
    expect(outcome).toMatchObject({ verdict: 'adapted', stop: 'iterations', bestIteration: 24, iterations: 24 });
  });

  test('a slice that adaptation makes worse comes back unadapted', async () => {
    const { outcome, adaptable } = await run((w) => 1 + w, {});
    expect(adaptable.weights).toBe(0);
    expect(outcome).toMatchObject({ verdict: 'not-needed', bestIteration: 0, stop: 'rule' });
    expect(outcome.validation.best).toBe(outcome.validation.first);
  });

  test('a run that diverges keeps what was best before', async () => {
    const { outcome, adaptable } = await run((w) => (w < 12 ? 10 - w : Number.NaN), { interval: 5 });
    expect(adaptable.weights).toBe(10);
    expect(outcome).toMatchObject({ verdict: 'diverged', stop: 'diverged', bestIteration: 10 });
    expect(outcome.curve.every(({ heldOut }) => Number.isFinite(heldOut))).toBe(true);
  });

  test('a model that is not finite to begin with is an error', async () => {
    await expect(run(() => Number.NaN, {})).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
  });
});

describe('steps that do not judge', () => {
  test('the weights are evaluated every interval, and the best come back', async () => {
    const adaptable = new Scripted((w) => 1 + (w - 20) ** 2, false);
    const outcome = await runAdaptation(adaptable, adaptationSettings({ interval: 5, maxIterations: 200 }));
    expect(adaptable.weights).toBe(20);
    expect(outcome).toMatchObject({ verdict: 'adapted', stop: 'rule', bestIteration: 20, iterations: 51 });
    expect(outcome.curve.map(({ iteration }) => iteration)).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 51]);
    expect(adaptable.evaluations).toBe(12);
  });

  test('the window rule counts iterations', async () => {
    const adaptable = new Scripted((w) => (w < 40 ? 1000 - w : 960 + (w - 40)), false);
    const options = { interval: 5, stop: { rule: 'window', window: 20 } } as const;
    const outcome = await runAdaptation(adaptable, adaptationSettings(options));
    // Losses are known at 0, 5, ...: after three windows of four, those at 45 to 60 exceed those at 25 to 40.
    expect(outcome).toMatchObject({ stop: 'rule', iterations: 61, bestIteration: 40 });
  });

  test('an evaluation that is not finite ends the run', async () => {
    const adaptable = new Scripted((w) => (w < 10 ? 10 - w : Number.NaN), false);
    const outcome = await runAdaptation(adaptable, adaptationSettings({ interval: 5 }));
    expect(outcome).toMatchObject({ verdict: 'diverged', bestIteration: 5 });
    expect(adaptable.weights).toBe(5);
  });
});

test('a time budget ends the run and says so', async () => {
  let clock = 0;
  const { outcome } = await run(
    (w) => 1 / (1 + w),
    { timeBudget: 2, interval: 1 },
    () => {
      clock += 100;
      return clock;
    },
  );
  expect(outcome.verdict).toBe('stopped-early');
  expect(outcome.stop).toBe('time');
  expect(outcome.iterations).toBeLessThan(25);
});

test('the paper preset keeps the last weights and stops by the window rule', async () => {
  const { outcome, adaptable } = await run((w) => (w < 350 ? 1000 - w : 650 + (w - 350)), { preset: 'paper' });
  // Means over [n-100, n) and [n-200, n-100) cross where the valley lies midway: n = 350 + 100, seen one step later.
  expect(outcome.iterations).toBe(451);
  expect(outcome.stop).toBe('rule');
  expect(adaptable.weights).toBe(451);
  expect(outcome.bestIteration).toBe(451);
});

test('the window rule waits for three windows and compares means', () => {
  expect(windowRuleSaysStop([3, 2, 1, 2, 3, 4], 2)).toBe(false);
  expect(windowRuleSaysStop([3, 2, 1, 2, 3, 4, 5], 2)).toBe(true);
  expect(windowRuleSaysStop([5, 4, 3, 2, 1, 1, 1], 2)).toBe(false);
});

describe('improvement', () => {
  test('is the paired t statistic', () => {
    // Differences 1, 2, 3: mean 2, standard deviation 1, over sqrt(3).
    expect(improvement([11, 22, 33], [10, 20, 30])).toBeCloseTo(2 * Math.sqrt(3), 12);
    expect(improvement([10, 20, 30], [11, 22, 33])).toBeCloseTo(-2 * Math.sqrt(3), 12);
    expect(improvement([1, 2], [1, 2])).toBe(0);
    expect(improvement([2, 3], [1, 2])).toBe(Number.POSITIVE_INFINITY);
    expect(improvement([2], [1])).toBe(0);
  });
});

describe('not needed', () => {
  /** Half of the samples gain with every step, the others lose nearly as much. */
  class Noisy extends Scripted {
    override async misfits(weights: number) {
      return Array.from({ length: 100 }, (_, i) => 10 + 0.1 * weights * (i % 2 === 0 ? 1 : -1.05));
    }
  }
  const falling = (w: number): number => 1 / (1 + 0.01 * w);

  test('a gain within chance ends the run early with the starting weights', async () => {
    const adaptable = new Noisy(falling);
    const outcome = await runAdaptation(adaptable, adaptationSettings({ warmUp: 4, notNeeded: { after: 6 } }));
    // Judged are the weights of iteration 10, which the step to the eleventh comes with.
    expect(outcome).toMatchObject({ verdict: 'not-needed', stop: 'rule', iterations: 11, bestIteration: 0 });
    expect(outcome.validation.best).toBe(outcome.validation.first);
    expect(adaptable.weights).toBe(0);
  });

  test('a gain beyond chance goes on', async () => {
    const { outcome } = await run(falling, { warmUp: 0, notNeeded: { after: 10 }, maxIterations: 40 });
    expect(outcome).toMatchObject({ verdict: 'adapted', iterations: 40, bestIteration: 40 });
  });

  test('is judged once on the way, also where steps do not judge', async () => {
    const judged: number[] = [];
    class Counting extends Scripted {
      override misfits(weights: number) {
        judged.push(weights);
        return super.misfits(weights);
      }
    }
    const settings = adaptationSettings({ warmUp: 0, notNeeded: { after: 10 }, interval: 10, maxIterations: 40 });
    await runAdaptation(new Counting(falling, false), settings);
    // Starting weights, those of iteration 10, and the last ones.
    expect(judged).toEqual([0, 10, 40]);
  });

  test('the run ends at the next comparison where no weights are better', async () => {
    const { outcome } = await run((w) => 1 + w, { warmUp: 0, interval: 5, notNeeded: { after: 7 } });
    expect(outcome).toMatchObject({ verdict: 'not-needed', iterations: 11 });
  });

  test('a run that ends before is judged too; after 0 none is', async () => {
    const short = new Noisy(falling);
    expect(await runAdaptation(short, adaptationSettings({ maxIterations: 5 }))).toMatchObject({
      verdict: 'not-needed',
    });
    expect(short.weights).toBe(0);
    const trusting = new Noisy(falling);
    const settings = adaptationSettings({ maxIterations: 5, notNeeded: { after: 0 } });
    expect(await runAdaptation(trusting, settings)).toMatchObject({ verdict: 'adapted' });
    expect(trusting.weights).toBe(5);
  });
});

describe('time', () => {
  /** A clock that ends every step at the next of some seconds. */
  const clockOf = (seconds: number[], limits: { maxIterations: number; timeBudget?: number }): StepClock => {
    const ticks = [0, ...seconds];
    const clock = new StepClock(limits, () => 1000 * (ticks.length > 1 ? (ticks.shift() as number) : ticks[0]));
    for (let step = 0; step < seconds.length; step += 1) clock.stepped();
    return clock;
  };

  test('a step is the mean of those after the first; the estimate is of the first', () => {
    const clock = clockOf([3, 4, 5.5, 6], { maxIterations: 10 });
    expect(clock.secondsPerStep).toBe(1);
    expect(clock.secondsLeft).toBe(6);
    expect(clock.times()).toEqual({ seconds: 6, secondsPerStep: 1, estimatedSeconds: 30 });
    expect(clock.isSpent).toBe(false);
  });

  test('a budget bounds the estimate, and no step begins that would exceed it', () => {
    expect(clockOf([3], { maxIterations: 10, timeBudget: 5 }).times().estimatedSeconds).toBe(5);
    expect(clockOf([1, 2, 3], { maxIterations: 10, timeBudget: 3.5 }).isSpent).toBe(true);
    expect(clockOf([1, 2, 3], { maxIterations: 10, timeBudget: 4 }).isSpent).toBe(false);
    expect(clockOf([1, 2, 3], { maxIterations: 10, timeBudget: 4 }).secondsLeft).toBe(1);
  });

  test('every step hears what is left', async () => {
    let clock = 0;
    const heard: number[] = [];
    const tick = (): number => {
      clock += 500;
      return clock;
    };
    const onStep = (_: number, __: number, left: number): void => {
      heard.push(left);
    };
    const adaptable = new Scripted((w) => 1 / (1 + w));
    await runAdaptation(adaptable, adaptationSettings({ maxIterations: 4 }), { now: tick, onStep });
    expect(heard).toEqual([1.5, 1, 0.5, 0]);
  });
});

test('an aborted run rejects with the reason', async () => {
  const controller = new AbortController();
  const adaptable = new Scripted((w) => 1 / (1 + w));
  const promise = runAdaptation(adaptable, adaptationSettings({}), {
    signal: controller.signal,
    onStep: (iteration) => iteration === 7 && controller.abort(new Error('enough')),
  });
  await expect(promise).rejects.toThrow('enough');
  expect(adaptable.weights).toBe(7);
});

describe('settings', () => {
  test('defaults and presets', () => {
    expect(adaptationSettings()).toMatchObject({
      maxIterations: 150,
      learningRate: 3e-3,
      keep: 'best',
      heldOut: { replacement: false },
    });
    expect(adaptationSettings({ preset: 'paper', heldOut: { fraction: 0.1 } })).toMatchObject({
      maxIterations: 2500,
      learningRate: 1e-5,
      keep: 'last',
      heldOut: { fraction: 0.1, replacement: true },
      stop: { rule: 'window', window: 100 },
    });
  });

  test('a part of a group leaves the preset its other parts, but not those of another rule', () => {
    const { stop, notNeeded } = adaptationSettings({
      preset: 'paper',
      stop: { rule: 'window' },
      notNeeded: { standardErrors: 3 },
    });
    expect(stop).toEqual({ rule: 'window', window: 100 });
    expect(notNeeded).toEqual({ after: 0, standardErrors: 3 });
    const zeroShot = adaptationSettings({ preset: 'zero-shot' });
    expect(adaptationSettings({ preset: 'zero-shot', stop: { rule: 'patience' } }).stop).toEqual(zeroShot.stop);
    const other = adaptationSettings({ preset: 'zero-shot', stop: { rule: 'window', window: 7 } });
    expect(other.stop).toEqual({ rule: 'window', window: 7 });
  });

  test('networks with the measurement inside have defaults of their own, but not with a preset', () => {
    const unrolled = createNetwork('unrolled', { cascades: 1, channels: 2, pools: 1 });
    const own = { learningRate: 1e-3, warmUp: 10, heldOut: { fraction: 0.1 }, loss: { samples: 'disjoint' } };
    expect(adaptationSettings({}, unrolled)).toMatchObject(own);
    expect(adaptationSettings({ loss: { norm: 'l2' } }, unrolled).loss).toMatchObject({
      samples: 'disjoint',
      norm: 'l2',
    });
    expect(adaptationSettings({ loss: { samples: 'all' }, warmUp: 3 }, unrolled)).toMatchObject({
      loss: { samples: 'all' },
      warmUp: 3,
      learningRate: 1e-3,
    });
    expect(adaptationSettings({ preset: 'paper' }, unrolled)).toEqual(adaptationSettings({ preset: 'paper' }));
    expect(adaptationSettings({}, createNetwork('unet', {}))).toEqual(adaptationSettings());
  });

  test('the learning rate rises over the warm-up', () => {
    const settings = adaptationSettings({ learningRate: 0.1, warmUp: 4 });
    expect([0, 1, 3, 4, 50].map((made) => learningRateAt(settings, made))).toEqual([0.025, 0.05, 0.1, 0.1, 0.1]);
    expect(learningRateAt(adaptationSettings({ preset: 'paper' }), 0)).toBe(1e-5);
  });

  test.each<[AdaptationOptions, string]>([
    [{ maxIterations: 0 }, 'maxIterations'],
    [{ learningRate: -1 }, 'learningRate'],
    [{ heldOut: { fraction: 1 } }, 'heldOut.fraction'],
    [{ timeBudget: 0 }, 'timeBudget'],
    [{ loss: { fraction: 0 } }, 'loss.fraction'],
  ])('%j is refused by name', (options, field) => {
    expect(() => adaptationSettings(options)).toThrow(LarmorError);
    expect(() => adaptationSettings(options)).toThrow(field);
  });
});
