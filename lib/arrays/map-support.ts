// Where coil maps say anything about an image.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ComplexArray } from './complex-array.js';

/** 1 where some coil's map [coil, y, x] is not zero, 0 elsewhere: [y, x]. */
export async function mapSupport({ data, shape: [coils, ...image] }: ComplexArray): Promise<Uint8Array> {
  const inside = new Uint8Array(image[0] * image[1]);
  for (let coil = 0; coil < coils; coil += 1) {
    const map = data.subarray(2 * coil * inside.length, 2 * (coil + 1) * inside.length);
    for (let i = 0; i < inside.length; i += 1) if (map[2 * i] !== 0 || map[2 * i + 1] !== 0) inside[i] = 1;
    await nextTurn();
  }
  return inside;
}
