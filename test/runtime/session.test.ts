// Sessions of ONNX Runtime: tensors bound and run, what is refused, what PyTorch gave.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { float32Tensor, readSafetensors } from '#larmor/io/safetensors.js';
import { createSession, type Session } from '#larmor/runtime/session.js';
import { type Tensor, tensor } from '#larmor/runtime/tensor.js';
import { sameBits } from '../support/bits.js';
import { relativeError } from '../support/complex.js';
import { onnxModel } from '../support/onnx.js';
import { describeShared, shared } from '../support/shared.js';

/** sum = a + b of open length n, copy = a. */
const addition = onnxModel(
  [
    { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
    { op: 'Identity', inputs: ['a'], outputs: ['copy'] },
  ],
  [
    { name: 'a', shape: ['n', 2] },
    { name: 'b', shape: [2] },
  ],
  [
    { name: 'sum', shape: ['n', 2] },
    { name: 'copy', shape: ['n', 2] },
  ],
);

const floats = (shape: number[], values: number[]): Tensor<'float32'> =>
  tensor('float32', shape, Float32Array.from(values));
const expectError = (code: string, message?: RegExp) =>
  expect.objectContaining({ name: 'LarmorError', code, ...(message && { message: expect.stringMatching(message) }) });

describe('a session', () => {
  let session: Session;
  beforeAll(async () => {
    session = await createSession(addition, { threads: 1 });
  });
  afterAll(() => session.close());

  test('describes its inputs and outputs', () => {
    expect(session.inputs).toEqual([
      { name: 'a', type: 'float32', shape: [-1, 2] },
      { name: 'b', type: 'float32', shape: [2] },
    ]);
    expect(session.outputs.map(({ name }) => name)).toEqual(['sum', 'copy']);
    expect(session.device).toBe('cpu');
  });

  test('reads and writes bound memory in place, again and again', async () => {
    const a = floats([3, 2], [1, 2, 3, 4, 5, 6]);
    const b = floats([2], [10, 20]);
    const sum = tensor('float32', [3, 2]);
    const copy = tensor('float32', [3, 2]);
    const binding = session.bind({ a, b }, { sum, copy });
    await binding.run();
    expect([...sum.data]).toEqual([11, 22, 13, 24, 15, 26]);
    expect([...copy.data]).toEqual([1, 2, 3, 4, 5, 6]);
    a.data.fill(0.5);
    b.data[1] = -1;
    await binding.run();
    expect([...sum.data]).toEqual([10.5, -0.5, 10.5, -0.5, 10.5, -0.5]);
    expect([...copy.data]).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  });

  test('takes parts of larger arrays and outputs left out', async () => {
    const memory = new Float32Array([9, 1, 2, 9, 0, 0, 9]);
    const part = (from: number): Tensor => tensor('float32', [1, 2], memory.subarray(from, from + 2));
    await session.bind({ a: part(1), b: floats([2], [1, 1]) }, { sum: part(4) }).run();
    expect([...memory]).toEqual([9, 1, 2, 9, 2, 3, 9]);
  });

  test('serves several bindings at once', async () => {
    const results = await Promise.all(
      Array.from({ length: 16 }, async (_, i) => {
        const sum = tensor('float32', [1, 2]);
        const binding = session.bind({ a: floats([1, 2], [i, 2 * i]), b: floats([2], [1, 1]) }, { sum });
        for (let run = 0; run < 10; ++run) await binding.run();
        return [...sum.data];
      }),
    );
    expect(results).toEqual(results.map((_, i) => [i + 1, 2 * i + 1]));
  });

  const a = tensor('float32', [3, 2]);
  const b = tensor('float32', [2]);
  const sum = tensor('float32', [3, 2]);
  test.each<[string, () => unknown, string, RegExp]>([
    ['a missing input', () => session.bind({ a }, { sum }), 'ERR_ARGUMENT', /input b is missing/],
    ['an unknown input', () => session.bind({ a, b, c: a }, { sum }), 'ERR_ARGUMENT', /no input is called c/],
    [
      'an inherited name',
      () => session.bind({ a, b }, { toString: sum }),
      'ERR_ARGUMENT',
      /no output is called toString/,
    ],
    [
      'another type',
      () => session.bind({ a, b: tensor('float64', [2]) }, { sum }),
      'ERR_ARGUMENT',
      /input b must have the type float32, got float64/,
    ],
    [
      'another shape',
      () => session.bind({ a, b: tensor('float32', [3]) }, { sum }),
      'ERR_SHAPE',
      /input b must have shape \[2\], got \[3\]/,
    ],
    [
      'another rank',
      () => session.bind({ a: tensor('float32', [6]), b }, { sum }),
      'ERR_SHAPE',
      /input a must have shape \[\*,2\], got \[6\]/,
    ],
    [
      'too little data',
      () => session.bind({ a: { ...a, data: new Float32Array(5) }, b }, { sum }),
      'ERR_SHAPE',
      /must hold 6 elements, got 5/,
    ],
    [
      'data of another kind',
      () => session.bind({ a: { ...a, data: [0, 0, 0, 0, 0, 0] as unknown as Float32Array }, b }, { sum }),
      'ERR_ARGUMENT',
      /must hold a Float32Array/,
    ],
    [
      'an output in the memory of an input',
      () => session.bind({ a, b }, { sum: { ...sum, data: a.data } }),
      'ERR_ARGUMENT',
      /share memory/,
    ],
    ['two outputs in one memory', () => session.bind({ a, b }, { sum, copy: sum }), 'ERR_ARGUMENT', /share memory/],
  ])('rejects %s', (_, bind, code, message) => {
    expect(bind).toThrow(expectError(code, message));
  });

  test('rejects an output whose shape the graph does not produce', async () => {
    const binding = session.bind({ a, b }, { sum: tensor('float32', [4, 2]) });
    await expect(binding.run()).rejects.toEqual(expectError('ERR_RUNTIME', /shape/i));
  });

  test('rejects a second run of a binding under way, and arrays transferred elsewhere', async () => {
    const moved = floats([1, 2], [1, 2]);
    const binding = session.bind({ a: moved, b }, { sum: tensor('float32', [1, 2]) });
    const first = binding.run();
    await expect(binding.run()).rejects.toEqual(expectError('ERR_ARGUMENT', /under way/));
    await first;
    structuredClone(moved.data, { transfer: [moved.data.buffer as ArrayBuffer] });
    await expect(binding.run()).rejects.toEqual(expectError('ERR_ARGUMENT', /transferred/));
  });
});

describe('creating a session', () => {
  test('rejects bytes that are no graph', async () => {
    await expect(createSession(new Uint8Array(0))).rejects.toEqual(expectError('ERR_GRAPH'));
    await expect(createSession(new TextEncoder().encode('no protocol buffer'))).rejects.toEqual(
      expectError('ERR_GRAPH'),
    );
    await expect(createSession(addition.subarray(0, 40))).rejects.toEqual(expectError('ERR_GRAPH'));
  });

  test('rejects unknown operators by name', async () => {
    const value = { name: 'x', shape: [1] };
    const nodes = [{ op: 'NoSuchOp', domain: 'larmor', inputs: ['x'], outputs: ['y'] }];
    await expect(createSession(onnxModel(nodes, [value], [{ name: 'y', shape: [1] }]))).rejects.toEqual(
      expectError('ERR_GRAPH', /NoSuchOp/),
    );
  });

  test('rejects options out of range', async () => {
    await expect(createSession(addition, { threads: 0 })).rejects.toEqual(expectError('ERR_ARGUMENT', /threads/));
    await expect(createSession(addition, { threads: 1.5 })).rejects.toEqual(expectError('ERR_ARGUMENT', /threads/));
    await expect(createSession(addition, { optimization: 'most' as 'all' })).rejects.toEqual(
      expectError('ERR_ARGUMENT', /optimization/),
    );
    await expect(createSession(addition, { device: 'cuda' })).rejects.toEqual(expectError('ERR_DEVICE', /cuda/));
  });

  test('leaves the caller its bytes and takes an abort', async () => {
    const bytes = addition.slice();
    const session = await createSession(bytes, { device: 'auto' });
    bytes.fill(0);
    const sum = tensor('float32', [1, 2]);
    await session.bind({ a: floats([1, 2], [1, 2]), b: floats([2], [3, 4]) }, { sum }).run();
    expect([...sum.data]).toEqual([4, 6]);
    session.close();
    await expect(createSession(addition, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });
});

test('a graph whose working memory nobody has ends with ERR_OUT_OF_MEMORY', async () => {
  const n = 3_000_000;
  const model = onnxModel(
    [
      { op: 'Mul', inputs: ['a', 'b'], outputs: ['product'] },
      { op: 'ReduceMax', inputs: ['product'], outputs: ['y'] },
    ],
    [
      { name: 'a', shape: [n, 1] },
      { name: 'b', shape: [1, n] },
    ],
    [{ name: 'y', shape: [1, 1] }],
  );
  using session = await createSession(model);
  const binding = session.bind(
    { a: tensor('float32', [n, 1]), b: tensor('float32', [1, n]) },
    { y: tensor('float32', [1, 1]) },
  );
  await expect(binding.run()).rejects.toEqual(expectError('ERR_OUT_OF_MEMORY'));
});

describeShared('the U-Net that PyTorch exported', () => {
  test('gives what PyTorch gave, bit-equal from run to run and for 1 and 2 threads', async () => {
    const reference = await readSafetensors(shared('fixtures/unet_c4_p2.safetensors'));
    const input = float32Tensor(reference, 'input');
    const want = float32Tensor(reference, 'output');
    const model = readFileSync(shared('fixtures/unet_c4_p2.onnx'));
    const outputs: Tensor<'float32'>[] = [];
    for (const threads of [1, 1, 2]) {
      using session = await createSession(model, { threads });
      const output = tensor('float32', want.shape);
      const binding = session.bind({ input: tensor('float32', input.shape, input.data) }, { output });
      await binding.run();
      const first = output.data.slice();
      await binding.run();
      expect(sameBits(output.data, first)).toBe(true);
      outputs.push(output);
    }
    expect(sameBits(outputs[1].data, outputs[0].data)).toBe(true);
    expect(sameBits(outputs[2].data, outputs[0].data)).toBe(true);
    expect(relativeError(outputs[0].data, want.data)).toBeLessThan(1e-5);
  });
});
