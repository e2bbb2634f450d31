// Passes over all parameters of a network at once, off the event loop: norm, weighted sum, running average; and work with others in their place.
import { binding } from '../binding.js';
import { runJob } from '../jobs.js';
import type { ParameterStore } from '../networks/parameters.js';

/** ||x||_2 over all parameters, summed in double; not finite where a number is not. */
export function norm({ data }: ParameterStore, threads: number): Promise<number> {
  return runJob(1, {}, (control) => binding.parameterNorm(control, data, threads));
}

/** y = keep y + add x; with keep = 0 it does not matter what y holds. x may be y. Both are of one network. */
export function blend(
  keep: number,
  { data: y }: ParameterStore,
  add: number,
  { data: x }: ParameterStore,
  threads: number,
): Promise<void> {
  return runJob(1, {}, (control) => binding.blendParameters(control, keep, y, add, x, threads));
}

/** y += rate (x - y): parameters that are equal in both, as frozen ones are, stay so to the bit. */
export function approach(
  rate: number,
  { data: y }: ParameterStore,
  { data: x }: ParameterStore,
  threads: number,
): Promise<void> {
  return runJob(1, {}, (control) => binding.approachParameters(control, rate, y, x, threads));
}

/** Runs `work` with other values in `weights`; its own come back whatever happens. */
export async function withWeights<T>(
  { data }: ParameterStore,
  others: Float32Array,
  work: () => Promise<T>,
): Promise<T> {
  const kept = data.slice();
  data.set(others);
  try {
    return await work();
  } finally {
    data.set(kept);
  }
}
