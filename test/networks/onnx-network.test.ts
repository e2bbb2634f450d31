// Networks out of ONNX files: their parameters and sizes, and files that are refused.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeOnnx } from '#larmor/graph/onnx.js';
import type { OnnxModel } from '#larmor/graph/onnx-model.js';
import type { Model } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { importOnnx } from '#larmor/networks/onnx-model.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { floats, modelOf, node, type OnnxCase, waves } from '../support/onnx-nodes.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larmor-onnx-'));
  path = join(folder, 'network.onnx');
});
afterEach(() => rm(folder, { recursive: true }));

const small: OnnxCase = {
  what: 'small',
  shape: [1, 2, 8, 8],
  nodes: [
    node('Conv', ['x', 'w', 'b'], ['c'], { pads: [1, 1, 1, 1] }),
    node('PRelu', ['c', 's'], ['r']),
    node('Mul', ['r', 'half'], ['y']),
  ],
  constants: [waves('w', [2, 2, 3, 3]), waves('b', [2]), waves('s', [2, 1, 1]), floats('half', [0.5], [])],
};
const good = modelOf(small, [1, 2, 8, 8]);

async function load(model: OnnxModel): Promise<Model> {
  await writeFile(path, encodeOnnx(model));
  return importOnnx(path);
}

test('what is a parameter, how it would start, and which part it counts to', async () => {
  const { network, notes } = await load(good);
  expect(network.parameters).toEqual([
    { name: 'w', shape: [2, 2, 3, 3], initial: { bound: 1 / Math.sqrt(18) }, part: 'encoder', role: 'last' },
    { name: 'b', shape: [2], initial: { value: 0 }, part: 'encoder', role: 'last' },
    { name: 's', shape: [2, 1, 1], initial: { value: 0.25 }, part: 'decoder' },
  ]);
  expect(notes).toEqual({ imported: 'network.onnx', producer: 'test' });
});

test('dynamic axes, and initialisers listed as inputs, as old exporters do', async () => {
  const open = {
    ...modelOf({ ...small, shape: [] }, ['n', 2, 'h', 'w']),
    inputs: [
      { name: 'x', type: 'float32', shape: ['n', 2, 'h', 'w'] } as const,
      ...good.initializers.map(({ name, type, shape }) => ({ name, type, shape })),
    ],
  };
  const { network, weights } = await load(open);
  expect(network.parameters.map(({ name }) => name)).toEqual(['w', 'b', 's']);
  using predictor = await createPredictor({ network, weights, height: 5, width: 7 });
  expect((await predictor.predict({ image: new Float32Array(70).fill(1) })).every(Number.isFinite)).toBe(true);
});

test('a graph that only fits the size it was exported for says so', async () => {
  const flat: OnnxCase = {
    ...small,
    nodes: [node('Reshape', ['x', 'shape'], ['r']), node('Reshape', ['r', 'back'], ['y'])],
  };
  const ints = (name: string, list: number[]) =>
    ({
      name,
      type: 'int64',
      shape: [list.length],
      bytes: new Uint8Array(BigInt64Array.from(list, BigInt).buffer),
    }) as const;
  const { network, weights } = await load(
    modelOf({ ...flat, constants: [ints('shape', [1, 128]), ints('back', [1, 2, 8, 8])] }, [1, 2, 8, 8]),
  );
  await expect(createPredictor({ network, weights, height: 16, width: 8 })).rejects.toMatchObject({
    code: 'ERR_SHAPE',
    message: expect.stringMatching(/Reshape "\/r\/Reshape".*exported for images \[1,2,8,8\].*dynamic axes/),
  });
});

const refused: [string, string, RegExp, OnnxModel][] = [
  [
    'two inputs',
    'ERR_MODEL',
    /one input, the image; this has 2: x, z/,
    { ...good, inputs: [...good.inputs, { name: 'z', type: 'float32', shape: [1] }] },
  ],
  [
    'two outputs',
    'ERR_MODEL',
    /one output, this has 2/,
    { ...good, outputs: [...good.outputs, { name: 'r', type: 'float32', shape: [1, 2, 8, 8] }] },
  ],
  [
    'an input that is no image',
    'ERR_MODEL',
    /"x" must be an image of float32/,
    { ...good, inputs: [{ name: 'x', type: 'int64', shape: [1, 2, 8, 8] }] },
  ],
  [
    'open channels',
    'ERR_MODEL',
    /fixed number of channels; it is float32 \[n,c,h,w\]/,
    { ...good, inputs: [{ name: 'x', type: 'float32', shape: ['n', 'c', 'h', 'w'] }] },
  ],
  [
    'another size out than in',
    'ERR_MODEL',
    /makes \[1,2,6,6\] of an image \[1,2,8,8\]/,
    { ...good, nodes: [{ ...good.nodes[0], attributes: {} }, ...good.nodes.slice(1)] },
  ],
  ['an unknown operator', 'ERR_GRAPH', /operator LSTM/, { ...good, nodes: [node('LSTM', ['x'], ['y'])] }],
  [
    'NaN in a weight',
    'ERR_MODEL',
    /parameter "b" holds NaN/,
    { ...good, initializers: good.initializers.map((t) => (t.name === 'b' ? floats('b', [Number.NaN, 0]) : t)) },
  ],
];
test.each(refused)('refuses %s', async (_, code, message, model) => {
  await expect(load(model)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('refuses what is no ONNX file, and a configuration without a graph', async () => {
  await expect(importOnnx(path)).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  await writeFile(path, 'weights');
  await expect(importOnnx(path)).rejects.toMatchObject({ code: 'ERR_MODEL' });
  expect(() => createNetwork('onnx', {})).toThrow(expect.objectContaining({ code: 'ERR_MODEL' }));
});
