// The physics operators inside ONNX Runtime against direct summation in double precision, larger than the cases of the operator table.
import { describe, expect, test } from 'vitest';
import { points } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { encodeOnnx } from '#larmor/graph/onnx.js';
import { toOnnx } from '#larmor/graph/onnx-model.js';
import { createSession } from '#larmor/runtime/session.js';
import { type Tensor as RuntimeTensor, tensor as runtimeTensor } from '#larmor/runtime/tensor.js';
import { relativeError } from '../support/complex.js';
import { physicsRules } from '../support/interpreter-physics.js';
import { lineMask, pointMask } from '../support/masks.js';
import { type Tensor, tensor } from '../support/tensor.js';

const TOLERANCE = 1e-6;
const [n, coils, ny, nx] = [2, 3, 21, 26];

const random = new MT19937(31);
const noise = (shape: readonly number[]): Tensor =>
  tensor(
    shape,
    Float64Array.from({ length: points(shape) }, () => Math.fround(random.normal())),
  );

const image = noise([n, 2, ny, nx]);
const maps = noise([n, coils, ny, nx, 2]);
const kspace = noise([n, coils, ny, nx, 2]);

const stack = (shape: readonly number[], parts: readonly Uint8Array[]): Tensor =>
  tensor(shape, Float64Array.from(parts.flatMap((part) => [...part])));
const lines = stack([n, 1, nx], [lineMask(nx).data, lineMask(nx).data.map((_, x) => (x % 3 === 0 ? 1 : 0))]);
const sampled = pointMask(ny, nx).data;
const trained = stack(
  [n, ny, nx],
  [sampled.map((s, i) => (i % 5 === 0 ? 0 : s)), sampled.map((_, i) => (i % 4 === 1 ? 1 : 0))],
);
const heldOut = stack(
  [n, ny, nx],
  [sampled.map((s, i) => (i % 5 === 0 ? s : 0)), sampled.map((_, i) => (i % 8 === 2 ? 1 : 0))],
);
const noLines = tensor(lines.shape);
const noPoints = tensor(trained.shape);

const scalar = (value: number): Tensor => tensor([1], Float64Array.of(value));

type Inputs = Readonly<Record<string, Tensor>>;

/** Runs one node as a graph of its own; its outputs are named y0, y1, ... */
async function run(
  operator: string,
  inputs: Inputs,
  shapes: readonly (readonly number[])[],
  attributes = {},
  threads = 1,
): Promise<Float32Array[]> {
  const graph = new GraphBuilder();
  const values = Object.entries(inputs).map(([name, { shape }]) => graph.input(name, shape));
  graph.apply(operator, values, attributes).forEach((value, i) => {
    graph.output(`y${i}`, value);
  });
  const session = await createSession(encodeOnnx(toOnnx(graph)), { threads });
  try {
    const feeds: Record<string, RuntimeTensor> = {};
    for (const [name, { shape, data }] of Object.entries(inputs))
      feeds[name] = runtimeTensor('float32', shape, Float32Array.from(data));
    const outputs = shapes.map((shape) => runtimeTensor('float32', shape));
    await session.bind(feeds, Object.fromEntries(outputs.map((output, i) => [`y${i}`, output]))).run();
    return outputs.map(({ data }) => data);
  } finally {
    session.close();
  }
}

function truth(operator: string, inputs: Inputs, attributes = {}): Tensor[] {
  return physicsRules[operator](Object.values(inputs), attributes, []);
}

describe.each([
  { kind: 'columns', mask: lines },
  { kind: 'points', mask: trained },
])('with a mask of $kind', ({ mask }) => {
  test.each([
    { operator: 'Encode', inputs: { image, maps, mask } },
    { operator: 'EncodeAdjoint', inputs: { kspace, maps, mask } },
    { operator: 'EncodeNormal', inputs: { image, maps, mask } },
    { operator: 'SolveNormal', inputs: { b: image, maps, mask, weight: scalar(0.5) }, attributes: { iterations: 6 } },
  ])('$operator', async ({ operator, inputs, attributes }) => {
    const [want] = truth(operator, inputs, attributes);
    const [got] = await run(operator, inputs, [want.shape], attributes);
    expect(relativeError(got, want.data)).toBeLessThan(TOLERANCE);
    const [again] = await run(operator, inputs, [want.shape], attributes, 2);
    expect(again).toEqual(got);
  });
});

describe.each(['l1', 'l2'])('DataLoss %s', (norm) => {
  test.each([
    { kind: 'points held out of points', mask: trained, heldOutMask: heldOut },
    { kind: 'nothing held out of columns', mask: lines, heldOutMask: noLines },
    { kind: 'nothing held out of points', mask: trained, heldOutMask: noPoints },
    {
      kind: 'other columns held out',
      mask: lines,
      heldOutMask: tensor(
        lines.shape,
        lines.data.map((s) => 1 - s),
      ),
    },
  ])('$kind', async ({ mask, heldOutMask }) => {
    const inputs = { image, maps, mask, heldOutMask, kspace };
    const [loss, heldOutLoss, gradient] = truth('DataLoss', inputs, { norm });
    const shapes = [[1], [1], image.shape];
    const got = await run('DataLoss', inputs, shapes, { norm });
    expect(relativeError(got[0], loss.data)).toBeLessThan(TOLERANCE);
    if (heldOutMask === noLines || heldOutMask === noPoints) expect(got[1][0]).toBe(0);
    else expect(relativeError(got[1], heldOutLoss.data)).toBeLessThan(TOLERANCE);
    expect(relativeError(got[2], gradient.data)).toBeLessThan(TOLERANCE);
    expect(await run('DataLoss', inputs, shapes, { norm }, 2)).toEqual(got);
  });

  test('the gradient is that of the loss: central differences in double precision', () => {
    const inputs = { image, maps, mask: trained, heldOutMask: heldOut, kspace };
    const gradient = truth('DataLoss', inputs, { norm })[2];
    const direction = noise(image.shape);
    const step = 1e-6;
    const [ahead, behind] = [step, -step].map((h) => {
      const moved = tensor(
        image.shape,
        image.data.map((value, i) => value + h * direction.data[i]),
      );
      return truth('DataLoss', { ...inputs, image: moved }, { norm })[0].data[0];
    });
    const want = gradient.data.reduce((sum, g, i) => sum + g * direction.data[i], 0);
    expect((ahead - behind) / (2 * step)).toBeCloseTo(want, 6);
  });

  test('a perfect image has no loss and no gradient', async () => {
    const measured = truth('Encode', { image, maps, mask: trained })[0];
    const inputs = { image, maps, mask: trained, heldOutMask: noPoints, kspace: measured };
    const [loss, , gradient] = await run('DataLoss', inputs, [[1], [1], image.shape], { norm });
    expect(loss[0]).toBeLessThan(TOLERANCE);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });
});

test('k-space that is zero under the mask is an error, not a NaN', async () => {
  const inputs = { image, maps, mask: trained, heldOutMask: heldOut, kspace: tensor(kspace.shape) };
  await expect(run('DataLoss', inputs, [[1], [1], image.shape], { norm: 'l1' })).rejects.toThrow(
    /kspace is zero at every sample of mask/,
  );
});

describe('SolveNormal', () => {
  const solve = (b: Tensor, weight: number, iterations: number): Promise<Float32Array[]> =>
    run('SolveNormal', { b, maps, mask: lines, weight: scalar(weight) }, [b.shape], { iterations });

  test('solves the equations', async () => {
    const [x] = await solve(image, 0.5, 100);
    const solution = tensor(image.shape, Float64Array.from(x));
    const [normal] = truth('EncodeNormal', { image: solution, maps, mask: lines });
    const back = normal.data.map((value, i) => value + 0.5 * solution.data[i]);
    expect(relativeError(back, image.data)).toBeLessThan(4 * TOLERANCE); // condition number about 20
  });

  test('an empty image of a batch stays empty beside another', async () => {
    const half = image.data.length / 2;
    const [alone] = await solve(image, 0.5, 6);
    const [both] = await solve(
      tensor(
        image.shape,
        image.data.map((value, i) => (i < half ? value : 0)),
      ),
      0.5,
      6,
    );
    expect(both.subarray(0, half)).toEqual(alone.subarray(0, half));
    expect(both.subarray(half).every((value) => value === 0)).toBe(true);
  });

  test.each([0, -0.1, Number.NaN, Number.POSITIVE_INFINITY])('a weight of %d is an error', async (weight) => {
    await expect(solve(image, weight, 6)).rejects.toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/SolveNormal: weight must be positive and finite, got/),
    });
  });

  test('a right-hand side that is not finite is an error', async () => {
    const broken = tensor(
      image.shape,
      image.data.map((value, i) => (i === 7 ? Number.NaN : value)),
    );
    await expect(solve(broken, 0.5, 6)).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
  });
});
