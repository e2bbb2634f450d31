import { expect, test } from 'vitest';
import { type ElementType, tensor } from '#larmor/runtime/tensor.js';

test('holds zeros or the data given, of each type', () => {
  for (const type of ['float32', 'float64', 'int32', 'int64', 'uint8', 'bool'] satisfies ElementType[]) {
    const made = tensor(type, [2, 3]);
    expect(made.data.length).toBe(6);
    expect(made.data.every((value) => Number(value) === 0)).toBe(true);
    expect(made.data.byteOffset).toBe(0);
  }
  const data = new BigInt64Array([5n]);
  expect(tensor('int64', [], data).data).toBe(data);
});

test('rejects shapes that are none or that the data do not fill', () => {
  const shapeError = expect.objectContaining({ code: 'ERR_SHAPE' });
  expect(() => tensor('float32', [0])).toThrow(shapeError);
  expect(() => tensor('float32', [-1, 2])).toThrow(shapeError);
  expect(() => tensor('float32', [1.5])).toThrow(shapeError);
  expect(() => tensor('float32', [2], new Float32Array(3))).toThrow(shapeError);
  expect(() => tensor('float16' as 'float32', [2])).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  expect(() => tensor('float32', [2 ** 30, 2 ** 20])).toThrow(
    expect.objectContaining({ name: 'LarmorError', code: 'ERR_OUT_OF_MEMORY' }),
  );
});
