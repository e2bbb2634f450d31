// Work with other parameters in the place of a network's own.
import type { Memory, TensorStore } from '../runtime/memory.js';

/** Runs `work` with other values in `weights`; its own come back whatever happens. */
export async function withWeights<T>(
  memory: Memory,
  weights: TensorStore,
  others: TensorStore | Float32Array,
  work: () => Promise<T>,
): Promise<T> {
  const kept = memory.store(weights.layout);
  try {
    await memory.copy(kept, weights);
    try {
      if (others instanceof Float32Array) weights.set(others);
      else await memory.copy(weights, others);
      return await work();
    } finally {
      await memory.copy(weights, kept);
    }
  } finally {
    kept.free();
  }
}
