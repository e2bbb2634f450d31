// Runs of adaptation: which weights come back, and what ends a run.
import { describe, expect, test } from 'vitest';
import { type Adaptable, runAdaptation } from '#larmor/adaptation/loop.js';
import { adaptationSettings } from '#larmor/adaptation/options.js';

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
