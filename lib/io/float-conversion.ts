// Stored floating-point numbers of any precision as float32.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoredTensor } from './safetensors.js';

const TURN = 2 ** 20; // elements between turns of the event loop

/** float32 of the 16 bits of an IEEE half-precision number; exact. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let halves: Float32Array | undefined;

/** float32 of all 65536 half-precision numbers, by their bits: a look-up is many times faster than the arithmetic. */
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfToFloat(bits));
  return halves;
}

/** The elements as float32: themselves for F32, exact for F16 and BF16, rounded for F64; undefined for integers. */
export async function toFloat32({ dtype, data }: StoredTensor): Promise<Float32Array | undefined> {
  if (dtype === 'F32') return data;
  if (dtype !== 'F16' && dtype !== 'BF16' && dtype !== 'F64') return undefined;
  const result = new Float32Array(data.length);
  const bits = new Uint32Array(result.buffer);
  const table = dtype === 'F16' ? halfTable() : result;
  for (let begin = 0; begin < data.length; begin += TURN) {
    const end = Math.min(begin + TURN, data.length);
    if (dtype === 'BF16') for (let i = begin; i < end; i++) bits[i] = data[i] << 16;
    else if (dtype === 'F16') for (let i = begin; i < end; i++) result[i] = table[data[i]];
    else for (let i = begin; i < end; i++) result[i] = data[i];
    if (end < data.length) await nextTurn();
  }
  return result;
}
