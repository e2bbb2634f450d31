// Penalties against plain loops, and their gradients against finite differences.
import { beforeAll, describe, expect, test } from 'vitest';
import { drawMoves } from '#larmor/adaptation/moves.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { fromPlanes, toPlanes } from '#larmor/arrays/planar.js';
import { createNetwork, type Network } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import type { LossDescription } from '#larmor/training/losses.js';
import { createTrainingSession } from '#larmor/training/open-session.js';
import type { TrainingSession } from '#larmor/training/session.js';
import { uniform } from '../support/graph-checks.js';

const [HEIGHT, WIDTH, COILS] = [12, 16, 2];
const N = HEIGHT * WIDTH;
const random = new MT19937(6);
/** Coils that share out the image evenly, and see nothing of its first rows. */
const maps = new Float32Array(2 * COILS * N).map((_, i) =>
  i % 2 === 0 && (i / 2) % N >= 3 * WIDTH ? Math.SQRT1_2 : 0,
);
const lines = Float32Array.from({ length: WIDTH }, (_, x) => (x % 3 === 0 || Math.abs(x - WIDTH / 2) < 2 ? 1 : 0));
const heldOut = lines.map((_, x) => (x === 3 ? 1 : 0));
const data: Record<string, Float32Array> = {
  image: uniform(random, 2 * N),
  kspace: uniform(random, 2 * COILS * N),
  maps,
  mask: lines,
  lossMask: lines.map((bit, x) => bit - heldOut[x]),
  heldOutMask: heldOut,
  ...drawMoves(3, HEIGHT, WIDTH),
};
const { moveY, moveX } = data;
const seen = (i: number): number => (i % N >= 3 * WIDTH ? 1 : 0);

function moved(image: Float32Array): Float32Array {
  const source = (matrix: Float32Array, side: number, to: number): number =>
    matrix.subarray(to * side, (to + 1) * side).indexOf(1);
  return Float32Array.from(image, (_, i) => {
    const [channel, y, x] = [Math.floor(i / N), Math.floor((i % N) / WIDTH), i % WIDTH];
    const from = channel * N + source(moveY, HEIGHT, y) * WIDTH + source(moveX, WIDTH, x);
    return image[from] * seen(from) * seen(i);
  });
}

const l1 = (values: Float32Array): number => values.reduce((sum, value) => sum + Math.abs(value), 0);

test('moves are flips and shifts of at most a tenth', () => {
  for (let seed = 0; seed < 20; seed += 1)
    for (const [matrix, side] of [
      [drawMoves(seed, HEIGHT, 30).moveY, HEIGHT],
      [drawMoves(seed, HEIGHT, 30).moveX, 30],
    ] as const) {
      const sources = Array.from({ length: side }, (_, to) => matrix.subarray(to * side, (to + 1) * side).indexOf(1));
      expect(l1(matrix)).toBe(side);
      expect([...sources].sort((a, b) => a - b)).toEqual(sources.map((_, i) => i));
      const step = (sources[1] - sources[0] + side) % side;
      expect([1, side - 1]).toContain(step);
      expect(sources.map((_, to) => (sources[0] + to * step) % side)).toEqual(sources);
      const shift = step === 1 ? side - sources[0] : sources[0] + 1; // where index 0, or side - 1, comes to lie
      expect(Math.min(shift % side, side - (shift % side))).toBeLessThanOrEqual(Math.floor(0.1 * side));
    }
});

describe.each<[string, Network]>([
  ['an image network', createNetwork('unet', { channels: 2, pools: 1, residual: true, affine: true })],
  [
    'a network with the measurement inside',
    createNetwork('unrolled', { cascades: 1, channels: 2, pools: 1, iterations: 3 }),
  ],
])('%s', (_, network) => {
  const weights = ParameterStore.initialise(network.parameters, 2);
  const generator = new MT19937(9);
  for (const { name } of network.parameters)
    weights.get(name).forEach((value, i, all) => {
      all[i] = value + 0.1 * (generator.uniform() - 0.5);
    });
  const self: LossDescription = { self: { norm: 'l1' } };
  let image: Float32Array;

  const predict = async (input: Float32Array): Promise<Float32Array> => {
    using predictor = await createPredictor({
      network,
      weights,
      coils: COILS,
      height: HEIGHT,
      width: WIDTH,
      threads: 1,
    });
    return predictor.predict({ ...data, image: input });
  };
  const open = async (loss: LossDescription): Promise<TrainingSession> => {
    const shapes = { coils: COILS, height: HEIGHT, width: WIDTH };
    const session = await createTrainingSession({ network, weights, loss, shapes, threads: 1 });
    session.set(Object.fromEntries(session.inputs.map((name) => [name, data[name]])));
    return session;
  };
  const lossOf = async (loss: LossDescription): Promise<number> => {
    await using session = await open(loss);
    return (await session.step({ learningRate: 0 })).loss;
  };

  beforeAll(async () => {
    image = await predict(data.image);
  });

  test('equivariance: the moved image, measured again, against itself', async () => {
    const target = moved(image);
    const mask = { data: Uint8Array.from(lines), shape: [WIDTH] as const };
    const encoding = new EncodingOperator({ maps: { data: maps, shape: [COILS, HEIGHT, WIDTH] }, mask });
    const again = await encoding.normal(fromPlanes(target, [HEIGHT, WIDTH], 1));
    const planes = new Float32Array(2 * N);
    toPlanes(again, planes, 1);
    const output = await predict(planes);
    const want = l1(output.map((value, i) => (value - target[i]) * seen(i))) / l1(data.image);
    const got = (await lossOf({ ...self, equivariance: { weight: 0.5 } })) - (await lossOf(self));
    expect(want).toBeGreaterThan(0.01);
    expect(got).toBeCloseTo(0.5 * want, 4);
  });

  test('total variation: absolute differences of neighbours, per pixel', async () => {
    let want = 0;
    for (let i = 0; i < 2 * N; i += 1) {
      if (i % WIDTH > 0) want += Math.abs(image[i] - image[i - 1]);
      if (i % N >= WIDTH) want += Math.abs(image[i] - image[i - WIDTH]);
    }
    const got = (await lossOf({ ...self, totalVariation: { weight: 2 } })) - (await lossOf(self));
    expect(got).toBeCloseTo((2 * want) / N, 4);
  });

  test('gradients are those of finite differences', async () => {
    await using session = await open({ ...self, equivariance: { weight: 1 }, totalVariation: { weight: 1 } });
    await session.step({ learningRate: 0 });
    const gradient = (await session.gradients()).data;
    const norm = Math.hypot(...gradient);
    const start = (await session.weights()).data;
    const at = async (offset: number): Promise<number> => {
      session.adam.weights.set(start.map((value, i) => value + (offset * gradient[i]) / norm));
      return (await session.step({ learningRate: 0 })).loss;
    };
    const step = 2e-3; // l1 has kinks within it: 2 %
    const slope = ((await at(step)) - (await at(-step))) / (2 * step);
    expect(slope / norm).toBeGreaterThan(0.98);
    expect(slope / norm).toBeLessThan(1.02);
  });

  test('evaluation leaves penalties out', async () => {
    await using plain = await open(self);
    await using penalised = await open({ ...self, equivariance: { weight: 1 }, totalVariation: { weight: 1 } });
    expect(await penalised.evaluate()).toEqual(await plain.evaluate());
  });
});
