import { expect, test } from 'vitest';
import { fromPlanes, toPlanes } from '#larmor/arrays/planar.js';

test('planes hold all real parts, then all imaginary parts', () => {
  const image = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [1, 3] };
  const planes = new Float32Array(6);
  toPlanes(image, planes, 2);
  expect([...planes]).toEqual([2, 6, 10, 4, 8, 12]);
  expect([...fromPlanes(planes, [1, 3], 0.5).data]).toEqual([...image.data]);
  expect(() => toPlanes(image, new Float32Array(5))).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }));
});
