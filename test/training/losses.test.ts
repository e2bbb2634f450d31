// Losses against plain loops in double precision, their slopes against central differences, and SSIM against the metric.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import { reshape } from '#larmor/graph/operations.js';
import type { Value } from '#larmor/graph/types.js';
import { ssim } from '#larmor/metrics/metrics.js';
import { GraphInputs } from '#larmor/networks/graph-inputs.js';
import type { Prediction } from '#larmor/networks/network.js';
import { buildLoss, LOSSES, type LossDescription } from '#larmor/training/losses.js';
import { gradientError, relativeError, uniform } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import { runGraph } from '../support/run-graph.js';

const [N, C, Y, X] = [2, 3, 10, 9];
const POINTS = Y * X;
const sizes = { batch: N, coils: C, height: Y, width: X, lossMask: 'points' } as const;

interface Built {
  readonly graph: GraphBuilder;
  readonly loss: Value;
  readonly heldOutLoss: Value | undefined;
  /** What the loss depends on. */
  readonly moving: Value;
  readonly feeds: Record<string, Float32Array>;
}

/** A loss of an image, or of coil images, that are inputs themselves. */
function build(description: LossDescription, gives: 'image' | 'coils' = 'image', batch = N): Built {
  const graph = new GraphBuilder();
  const inputs = new GraphInputs(graph, { inChannels: 2 }, { ...sizes, batch });
  const image = graph.input('x', [batch, 2, Y, X]);
  const made =
    gives === 'coils'
      ? [
          [batch, Y, X],
          [batch, C, Y, X, 2],
        ].map((shape, i) => graph.input(`c${i}`, shape))
      : [];
  const prediction: Prediction =
    gives === 'image'
      ? { image }
      : { image, coils: { magnitude: made[0], kspace: made[1], maps: made[1], images: made[1] } };
  const { loss, heldOutLoss } = buildLoss(description, prediction, inputs, () => prediction);
  const random = new MT19937(3);
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const values = uniform(
        random,
        shape.reduce((product, n) => product * n, 1),
      );
      if (name.endsWith('Mask')) return [name, values.map((v) => (v > (name === 'lossMask' ? 0 : 0.5) ? 1 : 0))];
      if (name.endsWith('Range')) return [name, values.map(() => 0.9)];
      return [
        name,
        name === 'targetMagnitude' || name === 'targetRss' || name === 'c0' ? values.map(Math.abs) : values,
      ];
    }),
  );
  return { graph, loss, heldOutLoss, moving: gives === 'image' ? image : made[description.self ? 1 : 0], feeds };
}

const value = ({ graph, feeds, loss }: Built, wanted = loss): number => evaluate(graph, feeds, [wanted])[0].data[0];

/** l1 and l2 of a difference relative to a reference, term by term. */
function norms(terms: Iterable<readonly [difference: number, reference: number]>): { l1: number; l2: number } {
  const sums = [0, 0, 0, 0];
  for (const [d, r] of terms)
    [Math.abs(d), Math.abs(r), d * d, r * r].forEach((v, i) => {
      sums[i] += v;
    });
  return { l1: sums[0] / sums[1], l2: Math.sqrt(sums[2] / sums[3]) };
}

const mixed = ({ l1, l2 }: { l1: number; l2: number }): number => (l1 + l2) / 2;
const zip = (a: Float32Array, b: Float32Array): [number, number][] => Array.from(a, (v, i) => [v - b[i], b[i]]);

const magnitudes = (image: Float32Array): Float32Array =>
  Float32Array.from({ length: N * POINTS }, (_, i) => {
    const at = 2 * POINTS * Math.floor(i / POINTS) + (i % POINTS);
    return Math.hypot(image[at], image[at + POINTS]);
  });

/** Terms of M (y - F S x) by the direct sum, for the samples where `weight` is 1. */
function* kspaceTerms(feeds: Built['feeds'], samples: string, weight: (n: number, p: number) => number) {
  const { x, maps } = feeds;
  const y = feeds[samples];
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let p = 0; p < POINTS; p++) {
        if (weight(n, p) === 0) continue;
        let [re, im] = [0, 0];
        for (let q = 0; q < POINTS; q++) {
          const m = 2 * ((n * C + c) * POINTS + q);
          const [a, b] = [x[2 * n * POINTS + q], x[(2 * n + 1) * POINTS + q]];
          const [sr, si] = [maps[m] * a - maps[m + 1] * b, maps[m] * b + maps[m + 1] * a];
          const turns = (row: number, length: number, at: number): number =>
            ((row - Math.floor(length / 2)) * (at - Math.floor(length / 2))) / length;
          const angle = -2 * Math.PI * (turns(Math.floor(p / X), Y, Math.floor(q / X)) + turns(p % X, X, q % X));
          re += sr * Math.cos(angle) - si * Math.sin(angle);
          im += sr * Math.sin(angle) + si * Math.cos(angle);
        }
        const k = 2 * ((n * C + c) * POINTS + p);
        yield [re / Math.sqrt(POINTS) - y[k], y[k]] as const;
        yield [im / Math.sqrt(POINTS) - y[k + 1], y[k + 1]] as const;
      }
}

describe('against plain loops', () => {
  test.each([
    ['l1', ({ l1 }: { l1: number }) => l1],
    ['l2', ({ l2 }: { l2: number }) => l2],
    ['l1-l2', mixed],
  ] as const)('images, %s', (norm, of) => {
    const complex = build({ supervised: { on: 'complex', norm } });
    expect(value(complex)).toBeCloseTo(of(norms(zip(complex.feeds.x, complex.feeds.target))), 6);
    const plain = build({ supervised: { on: 'magnitude', norm } });
    const terms = zip(magnitudes(plain.feeds.x), plain.feeds.targetMagnitude);
    expect(value(plain)).toBeCloseTo(of(norms(terms)), 6);
    const rss = build({ supervised: { on: 'rss', norm } });
    expect(value(rss)).toBeCloseTo(of(norms(zip(magnitudes(rss.feeds.x), rss.feeds.targetRss))), 6);
  });

  test("SSDU's loss over the samples of each mask", () => {
    const ssdu = build(LOSSES.ssdu);
    const { lossMask, heldOutMask } = ssdu.feeds;
    const own = (mask: Float32Array) => (n: number, p: number) => mask[n * POINTS + p];
    expect(value(ssdu)).toBeCloseTo(mixed(norms(kspaceTerms(ssdu.feeds, 'kspace', own(lossMask)))), 6);
    const held = mixed(norms(kspaceTerms(ssdu.feeds, 'kspace', own(heldOutMask))));
    expect(value(ssdu, ssdu.heldOutLoss)).toBeCloseTo(held, 6);
  });

  test('supervised k-space looks at every sample', () => {
    const built = build(LOSSES['supervised-kspace']);
    expect(value(built)).toBeCloseTo(mixed(norms(kspaceTerms(built.feeds, 'targetKspace', () => 1))), 6);
  });

  test('k-space that a network made itself', () => {
    const built = build(LOSSES.ssdu, 'coils');
    const { c1, kspace, lossMask } = built.feeds;
    const terms = zip(c1, kspace).filter(
      (_, i) => lossMask[POINTS * Math.floor(i / (2 * C * POINTS)) + ((i >> 1) % POINTS)],
    );
    expect(value(built)).toBeCloseTo(mixed(norms(terms)), 6);
  });

  test('terms add up by their weights', () => {
    const parts: LossDescription[] = [{ supervised: { on: 'complex' } }, { ssim: {} }, { self: { norm: 'l2' } }];
    const whole = build({
      supervised: { on: 'complex', weight: 0.5 },
      ssim: { weight: 2 },
      self: { norm: 'l2', weight: 3 },
    });
    const [image, similarity, self] = parts.map((part) => value({ ...build(part), feeds: whole.feeds }));
    expect(value(whole)).toBeCloseTo(0.5 * image + 2 * similarity + 3 * self, 6);
  });
});

describe('SSIM', () => {
  /** The metric of every image of a batch. */
  const metric = (target: Float32Array, image: Float32Array, range: number): number => {
    const one = (data: Float32Array, n: number) => ({ data: data.slice(n * POINTS, (n + 1) * POINTS), shape: [Y, X] });
    return [0, 1].reduce((sum, n) => sum + ssim(one(target, n), one(image, n), { dataRange: range }) / N, 0);
  };

  test('is that of the metric, for images and for coil images', () => {
    const image = build(LOSSES.ssim);
    expect(value(image)).toBeCloseTo(1 - metric(image.feeds.targetMagnitude, magnitudes(image.feeds.x), 0.9), 6);
    const coils = build(LOSSES.ssim, 'coils');
    expect(value(coils)).toBeCloseTo(1 - metric(coils.feeds.targetRss, coils.feeds.c0, 0.9), 6);
  });

  test('every image has its own range', () => {
    const built = build(LOSSES.ssim);
    const alone = (n: number, range: number): number => {
      const single = build(LOSSES.ssim, 'image', 1);
      const cut = (data: Float32Array): Float32Array => data.slice((n * data.length) / N, ((n + 1) * data.length) / N);
      const { x, targetMagnitude } = built.feeds;
      const feeds = { x: cut(x), targetMagnitude: cut(targetMagnitude), targetMagnitudeRange: Float32Array.of(range) };
      return value({ ...single, feeds });
    };
    built.feeds.targetMagnitudeRange.set([0.7, 1.5]);
    expect(value(built)).toBeCloseTo((alone(0, 0.7) + alone(1, 1.5)) / 2, 6);
  });

  test('is 1 of equal images', () => {
    const built = build(LOSSES.ssim);
    built.feeds.targetMagnitude.set(magnitudes(built.feeds.x));
    expect(value(built)).toBeCloseTo(0, 6);
  });

  test('needs images of the window', () => {
    const graph = new GraphBuilder();
    const inputs = new GraphInputs(graph, { inChannels: 2 }, { height: 6, width: 20 });
    const image = graph.input('x', [1, 2, 6, 20]);
    expect(() => buildLoss(LOSSES.ssim, { image }, inputs, () => ({ image }))).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    );
  });
});

describe('slopes', () => {
  const cases: [string, LossDescription, 'image' | 'coils'][] = [
    ['complex l2', { supervised: { on: 'complex', norm: 'l2' } }, 'image'],
    ['magnitude l1-l2', { supervised: { on: 'magnitude', norm: 'l1-l2' } }, 'image'],
    ['supervised k-space', LOSSES['supervised-kspace'], 'image'],
    ['SSDU', LOSSES.ssdu, 'image'],
    ['SSDU of coil images', LOSSES.ssdu, 'coils'],
    ['SSIM', LOSSES.ssim, 'image'],
    ['SSIM of coil images', LOSSES.ssim, 'coils'],
  ];
  test.each(cases)('%s: central differences', (_, description, gives) => {
    const { graph, feeds, loss, moving } = build(description, gives);
    expect(gradientError(graph, feeds, reshape(loss, []), [moving])).toBeLessThan(1e-5);
  });

  test.each(cases)('%s: ONNX Runtime computes the same', async (_, description, gives) => {
    const { graph, feeds, loss, moving } = build(description, gives);
    const [gradient] = differentiate(loss, [moving]);
    const wanted = evaluate(graph, feeds, [loss, gradient]).map(({ data }) => data);
    graph.output('loss', loss);
    graph.output('gradient', gradient);
    const got = await runGraph(graph, feeds);
    expect(relativeError(got.loss, wanted[0])).toBeLessThan(1e-5);
    expect(relativeError(got.gradient, wanted[1])).toBeLessThan(1e-4);
  });

  test('a loss of nothing is flat, not NaN: l2 of equal images', () => {
    const { graph, feeds, loss, moving } = build({ supervised: { on: 'complex', norm: 'l1-l2' } });
    feeds.target.set(feeds.x);
    const [gradient] = evaluate(graph, feeds, differentiate(loss, [moving]));
    expect(Math.max(...gradient.data.map(Math.abs))).toBe(0);
  });
});
