// A map of numbers as a picture in colour, beside a bar that says which colour is which number.
import type { RealArray } from '../arrays/complex-array.js';
import { formatNumber } from './html.js';
import { errorColour, type Picture } from './picture.js';

/** Digits, point, sign and exponent in 3 x 5 cells: one number a row, its bits from left to right. */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  '0': [7, 5, 5, 5, 7],
  '1': [2, 6, 2, 2, 7],
  '2': [7, 1, 7, 4, 7],
  '3': [7, 1, 3, 1, 7],
  '4': [5, 5, 7, 1, 1],
  '5': [7, 4, 7, 1, 7],
  '6': [7, 4, 7, 5, 7],
  '7': [7, 1, 1, 2, 2],
  '8': [7, 5, 7, 5, 7],
  '9': [7, 5, 7, 1, 7],
  '.': [0, 0, 0, 0, 2],
  '−': [0, 0, 7, 0, 0],
  e: [3, 5, 7, 4, 3],
};
const ADVANCE = 4; // cells from one glyph to the next
const GAP = 6;
const BAR = 12;
const LABELS = 5;

/** Values 0..`limit` of [y, x] in colour; larger ones take the last colour. The bar and its labels stand to the right. */
export function colourMapPicture(map: RealArray, limit: number): Picture {
  const [rows, columns] = map.shape;
  const scale = Math.max(1, Math.round(rows / 160)); // pixels of a cell of the labels
  const height = Math.max(rows, 7 * scale * LABELS);
  const labels = Array.from({ length: LABELS }, (_, i) => formatNumber((limit * i) / (LABELS - 1), 3));
  const textWidth = Math.max(...labels.map((text) => text.length)) * ADVANCE * scale;
  const width = columns + GAP + BAR + GAP + textWidth;
  const data = new Uint8Array(3 * width * height);
  const paint = (x: number, y: number, colour: readonly number[]): void => data.set(colour, 3 * (y * width + x));

  for (let y = 0; y < rows; y += 1)
    for (let x = 0; x < columns; x += 1) paint(x, y, errorColour(map.data[y * columns + x] / limit || 0));
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < BAR; x += 1) paint(columns + GAP + x, y, errorColour(1 - y / (height - 1)));
  labels.forEach((text, i) => {
    const top = Math.round(((height - 5 * scale) * (LABELS - 1 - i)) / (LABELS - 1));
    [...text].forEach((character, place) => {
      const left = columns + GAP + BAR + GAP + place * ADVANCE * scale;
      for (let y = 0; y < 5 * scale; y += 1)
        for (let x = 0; x < 3 * scale; x += 1)
          if (((GLYPHS[character]?.[Math.floor(y / scale)] ?? 0) >> (2 - Math.floor(x / scale))) & 1)
            paint(left + x, top + y, [255, 255, 255]);
    });
  });
  return { width, height, channels: 3, data };
}
