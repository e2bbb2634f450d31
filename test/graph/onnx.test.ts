// ONNX files: round trip, files of other software, bytes that are no model.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { decodeOnnx, encodeOnnx } from '#larmor/graph/onnx.js';
import { toOnnx } from '#larmor/graph/onnx-model.js';
import { ModelMessage } from '#larmor/graph/onnx-schema.js';
import * as op from '#larmor/graph/operations.js';
import { describeShared, shared } from '../support/shared.js';

function smallGraph(): GraphBuilder {
  const graph = new GraphBuilder();
  const x = graph.input('x', [1, 2, 4, 4]);
  const w = graph.input('w', [3, 2, 3, 3]);
  const [y] = op.instanceNormLeakyRelu(op.conv(x, w, { pads: [1, 1, 1, 1] }), { slope: 0.2 });
  op.exp(y);
  graph.output('y', y);
  graph.output('again', y);
  graph.output('x copy', x);
  graph.output('total', op.reduceSum(op.add(y, 0.5)));
  return graph;
}

test('a model survives encoding and decoding', () => {
  const model = toOnnx(smallGraph());
  const back = decodeOnnx(encodeOnnx(model));
  expect({ ...back, nodes: undefined, initializers: undefined }).toEqual({
    ...model,
    nodes: undefined,
    initializers: undefined,
    values: undefined,
  });
  const floats = (value: unknown): unknown => (typeof value === 'number' ? Math.fround(value) : value);
  expect(JSON.stringify(back.nodes)).toEqual(JSON.stringify(model.nodes, (_, value) => floats(value)));
  expect(back.initializers.map(({ name, bytes }) => [name, [...bytes]])).toEqual(
    model.initializers.map(({ name, bytes }) => [name, [...bytes]]),
  );
});

test('only what outputs depend on is written, under the names of the outputs', () => {
  const { nodes, outputs, opsets } = toOnnx(smallGraph());
  expect(nodes.map(({ type }) => type)).toEqual([
    'Conv',
    'InstanceNormLeakyRelu',
    'Add',
    'ReduceSum',
    'Identity',
    'Identity',
  ]);
  expect(outputs.map(({ name }) => name)).toEqual(['y', 'again', 'x copy', 'total']);
  expect(nodes[1].outputs[0]).toBe('y');
  expect(nodes.slice(-2).map(({ inputs, outputs: made }) => [...inputs, ...made])).toEqual([
    ['y', 'again'],
    ['x', 'x copy'],
  ]);
  expect(opsets).toEqual({ '': 17, larmor: 1 });
});

test('a tensor inside an attribute may list its numbers, and may bear no name', () => {
  const bare = { dims: [2], dataType: 1, floatData: [1, 2] };
  const message = (type: number): Uint8Array =>
    ModelMessage.encode({
      graph: { node: [{ opType: 'Constant', output: ['y'], attribute: [{ name: 'value', type, t: bare }] }] },
    }).finish();
  const { value } = decodeOnnx(message(4)).nodes[0].attributes.value;
  expect(value).toEqual({ name: '', shape: [2], type: 'float32', bytes: new Uint8Array(Float32Array.of(1, 2).buffer) });
  expect(() => decodeOnnx(message(5))).toThrow(/attribute "value" of Constant "" is of kind 5/);
});

describeShared('ONNX files of other software', () => {
  test.each(['unet_c4_p2.onnx', 'mixed_ops.onnx'])('%s', (file) => {
    const model = decodeOnnx(readFileSync(shared(`fixtures/${file}`)));
    expect(model.producer).toBe('pytorch');
    expect(model.opsets['']).toBe(16);
    expect(model.nodes.length).toBeGreaterThan(20);
    expect(decodeOnnx(encodeOnnx(model))).toEqual(model);
  });
});

test.each([
  ['empty', Buffer.alloc(0), /holds no graph/],
  ['noise', Buffer.from('\xff\xff\xff\xff not a model', 'latin1'), /are not a model/],
  ['truncated', encodeOnnx(toOnnx(smallGraph())).subarray(0, 100), /are not a model/],
])('bytes that are no model: %s', (_, bytes, message) => {
  expect(() => decodeOnnx(bytes)).toThrow(
    expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(message) }),
  );
});
