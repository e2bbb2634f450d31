// Multiplies large arrays in pieces that leave the event loop free.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { allocateFloat32 } from './complex-array.js';

const PIECE = 2 ** 19; // under a millisecond

/** factor * data, a new array. */
export async function scaled(data: Float32Array, factor: number): Promise<Float32Array> {
  const result = allocateFloat32(data.length);
  for (let start = 0; start < data.length; start += PIECE) {
    const end = Math.min(data.length, start + PIECE);
    for (let i = start; i < end; i += 1) result[i] = factor * data[i];
    await nextTurn();
  }
  return result;
}
