// Looks for NaN and infinity, a few milliseconds for the largest slices.
import { binding } from '../binding.js';

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(data: Float32Array): number {
  return binding.firstNonFinite(data);
}
