// Settings of adaptation: defaults, presets, what is refused.
import { describe, expect, test } from 'vitest';
import { type AdaptationOptions, adaptationSettings, learningRateAt } from '#larmor/adaptation/options.js';
import { LarmorError } from '#larmor/errors.js';
import { createNetwork } from '#larmor/networks/network.js';

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
