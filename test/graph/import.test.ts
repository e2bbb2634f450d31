// Imported ONNX models: each beside the same bytes in ONNX Runtime, and gradients beside central differences.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { importedOperators, lowerOnnx } from '#larmor/graph/import/lower.js';
import { encodeOnnx } from '#larmor/graph/onnx.js';
import type { OnnxModel } from '#larmor/graph/onnx-model.js';
import type { Value } from '#larmor/graph/types.js';
import { createSession } from '#larmor/runtime/session.js';
import { tensor } from '#larmor/runtime/tensor.js';
import { gradientError, randomLoss, relativeError, uniform } from '../support/graph-checks.js';
import { onnxCases } from '../support/onnx-cases.js';
import { floats, ints, modelOf, node, type OnnxCase, waves } from '../support/onnx-nodes.js';
import { runGraph } from '../support/run-graph.js';
import { read } from '../support/source-files.js';
import { size } from '../support/tensor.js';

// float32 carries 6e-8 per operation; cubic weights and norms add a few.
const TOLERANCE = 5e-6;

function lowered(model: OnnxModel): { graph: GraphBuilder; x: Value; y: Value } {
  const graph = new GraphBuilder();
  const x = graph.input('x', model.inputs[0].shape as number[]);
  const y = lowerOnnx(model, graph, new Map([['x', x]])).get('y') as Value;
  graph.output('y', y);
  return { graph, x, y };
}

async function runFile(model: OnnxModel, x: Float32Array, shape: readonly number[]): Promise<Float32Array> {
  using session = await createSession(encodeOnnx(model), { threads: 1 });
  const y = tensor('float32', shape);
  await session.bind({ x: tensor('float32', model.inputs[0].shape as number[], x) }, { y }).run();
  return y.data;
}

const inputOf = ({ shape, range }: OnnxCase): Float32Array => uniform(new MT19937(3), size(shape), range);

test('every operator has a case', () => {
  const used = new Set(onnxCases.flatMap(({ nodes }) => nodes.map(({ type }) => type)));
  // Only ever evaluated from shapes and constants, or newer than the opset of the cases: below.
  const apart = [
    'Gelu',
    'GroupNormalization',
    'Mish',
    'Size',
    'Upsample',
    'And',
    'Ceil',
    'Equal',
    'Floor',
    'Mod',
    'Not',
    'Or',
    'Range',
    'ReduceProd',
  ];
  expect(importedOperators.filter((name) => !used.has(name) && !apart.includes(name))).toEqual([]);
});

test('the documentation lists every operator', () => {
  const text = read('docs/models.md').split('\nOperators: ')[1];
  expect(importedOperators.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});

describe('computes what ONNX Runtime computes', () => {
  test.each(onnxCases)('$what', async (onnxCase) => {
    const { graph, y } = lowered(modelOf(onnxCase, []));
    const model = modelOf(onnxCase, y.shape);
    const x = inputOf(onnxCase);
    const want = await runFile(model, x, y.shape);
    expect(relativeError((await runGraph(graph, { x })).y, want)).toBeLessThan(TOLERANCE);
  });
});

describe('gradient equals central differences', () => {
  const smooth = onnxCases.filter(({ what }) => !/Sign|Cast|range/.test(what));
  test.each(smooth)('$what', (onnxCase) => {
    const { graph, x, y } = lowered(modelOf(onnxCase, []));
    // Kinks under a step and constants of float32 leave some 1e-6.
    expect(gradientError(graph, { x: inputOf(onnxCase) }, randomLoss(graph, [y]), [x])).toBeLessThan(1e-5);
  });
});

/** y of one node on x, in JavaScript. */
async function results(onnxCase: OnnxCase, opset = 17): Promise<Float32Array> {
  const { graph } = lowered(modelOf(onnxCase, [], opset));
  return (await runGraph(graph, { x: inputOf(onnxCase) })).y;
}

test('newer operators by their definition', async () => {
  const shape = [2, 4, 3, 2];
  const on = (type: string, attributes = {}, constants: OnnxCase['constants'] = []): OnnxCase => ({
    what: type,
    shape,
    range: [-3, 3],
    nodes: [node(type, ['x', ...constants.map(({ name }) => name)], ['y'], attributes)],
    constants,
  });
  const x = inputOf(on('Gelu'));
  const tanhGelu = x.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));
  expect(relativeError(await results(on('Gelu', { approximate: 'tanh' }), 20), tanhGelu)).toBeLessThan(TOLERANCE);
  // The exact form and that approximation are known to differ by at most 5e-4.
  const gelu = await results(on('Gelu'), 20);
  expect(Math.max(...gelu.map((v, i) => Math.abs(v - tanhGelu[i])))).toBeLessThan(5e-4);
  const mish = x.map((v) => v * Math.tanh(Math.log1p(Math.exp(v))));
  expect(relativeError(await results(on('Mish'), 18), mish)).toBeLessThan(TOLERANCE);

  const grouped = (perChannel: number): OnnxCase['constants'] => [
    waves('scale', [perChannel]),
    waves('bias', [perChannel]),
  ];
  const normal = groupNorm(x, shape, 2);
  const want = (pick: (c: number) => number): Float64Array =>
    normal.map(
      (v, i) => v * Math.sin(1 + 1.7 * pick(Math.floor(i / 6) % 4)) + Math.sin(1 + 1.7 * pick(Math.floor(i / 6) % 4)),
    );
  const byChannel = await results(on('GroupNormalization', { num_groups: 2 }, grouped(4)), 21);
  expect(
    relativeError(
      byChannel,
      want((c) => c),
    ),
  ).toBeLessThan(TOLERANCE);
  const byGroup = await results(on('GroupNormalization', { num_groups: 2 }, grouped(2)), 18);
  expect(
    relativeError(
      byGroup,
      want((c) => Math.floor(c / 2)),
    ),
  ).toBeLessThan(TOLERANCE);

  const up = await results({ ...on('Upsample', { mode: 'nearest' }, [floats('scales', [1, 1, 2, 2])]) }, 9);
  expect([...up.slice(0, 4)]).toEqual([x[0], x[0], x[1], x[1]]);
});

/** x normalised within `groups` equal groups of channels. */
function groupNorm(x: Float32Array, [n, c, ...rest]: readonly number[], groups: number): Float64Array {
  const length = (c / groups) * size(rest);
  const y = Float64Array.from(x);
  for (let group = 0; group < n * groups; group++) {
    const part = y.subarray(group * length, (group + 1) * length);
    const mean = part.reduce((sum, v) => sum + v, 0) / length;
    const variance = part.reduce((sum, v) => sum + (v - mean) ** 2, 0) / length;
    part.forEach((v, i) => {
      part[i] = (v - mean) / Math.sqrt(variance + 1e-5);
    });
  }
  return y;
}

test('arithmetic on shapes', async () => {
  const nodes = [
    node('Shape', ['x'], ['shape']), // [2, 4, 6, 5]
    node('Size', ['x'], ['size']), // 240
    node('ReduceProd', ['shape'], ['count'], { keepdims: 0 }), // 240
    node('Equal', ['size', 'count'], ['same']),
    node('Not', ['same'], ['other']),
    node('Or', ['same', 'other'], ['either']),
    node('And', ['same', 'either'], ['both']),
    node('Mod', ['size', 'seven'], ['rest']), // 2
    node('Range', ['zero', 'seven', 'rest'], ['range']), // [0, 2, 4, 6]
    node('Cast', ['range'], ['numbers'], { to: 1 }),
    node('Div', ['numbers', 'four'], ['quarters']), // [0, .5, 1, 1.5]
    node('Floor', ['quarters'], ['down']), // [0, 0, 1, 1]
    node('Ceil', ['quarters'], ['up']), // [0, 1, 1, 2]
    node('Where', ['both', 'up', 'down'], ['chosen']),
    node('Sum', ['x', 'x'], ['twice']),
    node('Gather', ['chosen', 'three'], ['two'], { axis: 0 }),
    node('Mul', ['twice', 'two'], ['y']),
  ];
  const constants = [ints('seven', [7], []), ints('zero', [0], []), ints('three', [3], []), floats('four', [4], [])];
  const onnxCase: OnnxCase = { what: 'shapes', nodes, constants, shape: [2, 4, 6, 5] };
  const x = inputOf(onnxCase);
  expect(
    relativeError(
      await results(onnxCase),
      x.map((v) => 4 * v),
    ),
  ).toBe(0);
});
