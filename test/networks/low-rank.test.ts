// Low-rank adapters: they start as nothing, train alone, and merge into plain weights that do the same.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { withAdapters } from '#larmor/networks/low-rank.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { LOSSES } from '#larmor/training/losses.js';
import { createTrainingSession } from '#larmor/training/open-session.js';
import { relativeError } from '../support/complex.js';
import { uniform } from '../support/graph-checks.js';

const SIZE = 16;
const N = SIZE * SIZE;
const RANK = 2;
const unet = createNetwork('unet', { channels: 4, pools: 2, residual: true, affine: true });
const unrolled = createNetwork('unrolled', { cascades: 1, channels: 4, pools: 2, iterations: 2 });
const random = new MT19937(4);
const data = {
  image: uniform(random, 2 * N),
  target: uniform(random, 2 * N),
  maps: uniform(random, 4 * N),
  mask: Float32Array.from({ length: SIZE }, (_, x) => (x % 3 === 0 ? 1 : 0)),
};

describe.each([
  ['unet', unet],
  ['unrolled', unrolled],
])('%s', (_, network) => {
  const weights = ParameterStore.initialise(network.parameters, 1);
  const adapted = withAdapters(network, weights, RANK);

  const predict = async (of: typeof network, store: ParameterStore): Promise<Float32Array> => {
    using predictor = await createPredictor({
      network: of,
      weights: store,
      coils: 2,
      height: SIZE,
      width: SIZE,
      threads: 1,
    });
    return predictor.predict(data);
  };
  const trained = async (threads: number): Promise<ParameterStore> => {
    await using session = await createTrainingSession({
      network: adapted.network,
      weights: adapted.weights,
      loss: LOSSES.supervised,
      shapes: { coils: 2, height: SIZE, width: SIZE },
      trainable: adapted.trains,
      optimiser: { learningRate: 0.01 },
      threads,
    });
    session.set(Object.fromEntries(session.inputs.map((name) => [name, data[name as keyof typeof data]])));
    for (let step = 0; step < 5; step += 1) await session.step();
    return session.weights();
  };

  test('computes what it did before until it trains', async () => {
    expect(await predict(adapted.network, adapted.weights)).toEqual(await predict(network, weights));
    expect((await adapted.merge(adapted.weights)).data).toEqual(weights.data);
  });

  test('kernels stay bit for bit, adapters and small parameters train', async () => {
    const after = await trained(1);
    for (const { name, shape, role } of network.parameters) {
      const frozen = role !== 'scale' && role !== 'last';
      expect(frozen).toBe(!adapted.trains(name));
      if (frozen) expect(after.get(name)).toEqual(weights.get(name));
      else expect(after.get(name)).not.toEqual(weights.get(name));
      if (!frozen || shape.length < 2) continue;
      expect(after.get(`${name}.adapter.b`).some((value) => value !== 0)).toBe(true);
    }
  });

  test('merged, every kernel is W + B A, and the network computes the same', async () => {
    const after = await trained(1);
    const merged = await adapted.merge(after);
    for (const { name, shape, role } of network.parameters) {
      if (shape.length < 2 || role === 'last') continue;
      const [rows] = shape;
      const columns = weights.get(name).length / rows;
      const [a, b] = [after.get(`${name}.adapter.a`), after.get(`${name}.adapter.b`)];
      const rank = a.length / columns;
      expect(rank).toBe(Math.min(RANK, rows, columns));
      merged.get(name).forEach((value, i) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        let want = weights.get(name)[i];
        for (let k = 0; k < rank; k += 1) want += b[k * rows + row] * a[k * columns + column];
        expect(value).toBeCloseTo(want, 6);
      });
    }
    expect(relativeError(await predict(network, merged), await predict(adapted.network, after))).toBeLessThan(1e-5);
  });

  test('trains to the same bits on any number of threads', async () => {
    const one = await trained(1);
    expect((await trained(2)).data).toEqual(one.data);
    expect((await trained(3)).data).toEqual(one.data);
  });
});
