// Which of ONNX Runtime's own operators give the same bits for any number of threads, and how far the others differ.
import { expect, test } from 'vitest';
import { points } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { createSession } from '#larmor/runtime/session.js';
import { tensor } from '#larmor/runtime/tensor.js';
import { sameBits } from '../support/bits.js';
import { relativeError } from '../support/complex.js';
import { uniform } from '../support/graph-checks.js';
import { type GraphNode, onnxModel } from '../support/onnx.js';

type Shapes = Readonly<Record<string, readonly number[]>>;
type Case = [name: string, op: string, attributes: GraphNode['attributes'], inputs: Shapes, output: readonly number[]];

const PADS = { pads: [1, 1, 1, 1] };
const STRIDES = { strides: [2, 2] };

async function resultWith(threads: number, [, op, attributes, inputs, output]: Case): Promise<Float32Array> {
  const names = Object.keys(inputs);
  const model = onnxModel(
    [{ op, inputs: names, outputs: ['y'], ...(attributes && { attributes }) }],
    names.map((name) => ({ name, shape: inputs[name] })),
    [{ name: 'y', shape: output }],
  );
  using session = await createSession(model, { threads });
  const random = new MT19937(1);
  const bound = names.map((name) => [name, tensor('float32', inputs[name], uniform(random, points(inputs[name])))]);
  const y = tensor('float32', output);
  const binding = session.bind(Object.fromEntries(bound), { y });
  await binding.run();
  const first = y.data.slice();
  await binding.run();
  expect(sameBits(first, y.data)).toBe(true);
  return first;
}

const image = [1, 32, 48, 40];
test.each<Case>([
  ['Conv 3x3', 'Conv', PADS, { x: image, w: [48, 32, 3, 3] }, [1, 48, 48, 40]],
  ['Conv 1x1', 'Conv', {}, { x: image, w: [2, 32, 1, 1] }, [1, 2, 48, 40]],
  ['Conv of stride 2', 'Conv', STRIDES, { x: image, w: [64, 32, 2, 2] }, [1, 64, 24, 20]],
  ['Conv of a batch of small images', 'Conv', PADS, { x: [2, 64, 8, 8], w: [64, 64, 3, 3] }, [2, 64, 8, 8]],
  ['ConvTranspose', 'ConvTranspose', STRIDES, { x: image, w: [32, 16, 2, 2] }, [1, 16, 96, 80]],
  ['Gemm of a transpose', 'Gemm', { transA: 1 }, { a: [777, 33], b: [777, 45] }, [33, 45]],
  ['AveragePool', 'AveragePool', { ...STRIDES, kernel_shape: [2, 2] }, { x: image }, [1, 32, 24, 20]],
  ['ReduceMean over images', 'ReduceMean', { axes: [2, 3] }, { x: image }, [1, 32, 1, 1]],
  ['ReduceMean over everything', 'ReduceMean', { axes: [0, 1, 2, 3] }, { x: image }, [1, 1, 1, 1]],
  ['Mul with broadcast', 'Mul', {}, { x: image, s: [1, 32, 1, 1] }, image],
])('%s gives the same bits for 1, 2 and 3 threads', async (...each) => {
  const one = await resultWith(1, each);
  expect(sameBits(one, await resultWith(2, each))).toBe(true);
  expect(sameBits(one, await resultWith(3, each))).toBe(true);
});

// Their inner blocking follows the columns that each thread gets.
test.each<Case>([
  ['Conv of one small image', 'Conv', PADS, { x: [1, 64, 8, 8], w: [64, 64, 3, 3] }, [1, 64, 8, 8]],
  ['Gemm', 'Gemm', {}, { a: [33, 777], b: [777, 45] }, [33, 45]],
  ['MatMul', 'MatMul', {}, { a: [33, 777], b: [777, 45] }, [33, 45]],
  ['ReduceMean over channels', 'ReduceMean', { axes: [1] }, { x: image }, [1, 1, 48, 40]],
])('%s differs by rounding only', async (...each) => {
  const one = await resultWith(1, each);
  expect(relativeError(await resultWith(2, each), one)).toBeLessThan(1e-6);
  expect(relativeError(await resultWith(3, each), one)).toBeLessThan(1e-6);
});
