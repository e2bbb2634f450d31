import { expect, test } from 'vitest';
import { colourMapPicture } from '#larmor/report/colour-map.js';
import { errorColour } from '#larmor/report/picture.js';

const at = ({ data, width }: { data: Uint8Array; width: number }, x: number, y: number): number[] => [
  ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
];

test('paints values up to the limit, and a bar that runs over the same colours', () => {
  const values = Float32Array.from({ length: 60 * 40 }, (_, i) => i % 40);
  const picture = colourMapPicture({ data: values, shape: [60, 40] }, 20);
  expect(picture.height).toBe(60);
  expect(at(picture, 0, 0)).toEqual(errorColour(0));
  expect(at(picture, 10, 30)).toEqual(errorColour(0.5));
  expect(at(picture, 39, 5)).toEqual(errorColour(1));
  const bar = 40 + 6;
  expect(at(picture, bar, 59)).toEqual(errorColour(0));
  expect(at(picture, bar, 0)).toEqual(errorColour(1));
});

test('writes the numbers beside the bar', () => {
  const picture = colourMapPicture({ data: new Float32Array(40 * 40), shape: [40, 40] }, 1);
  // The label "1" at the top: its first row is the middle cell alone.
  const left = 40 + 6 + 12 + 6;
  const row = [0, 1, 2].map((x) => at(picture, left + x, 0)[0]);
  expect(row).toEqual([0, 255, 0]);
});

test('values that are not finite take a colour too', () => {
  const data = Float32Array.from([Number.POSITIVE_INFINITY, Number.NaN, 0, 1]);
  const picture = colourMapPicture({ data, shape: [2, 2] }, 1);
  expect(at(picture, 0, 0)).toEqual(errorColour(1));
  expect(at(picture, 1, 0)).toEqual(errorColour(0));
});
