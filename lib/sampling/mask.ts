// A Cartesian sampling mask: which k-space columns or points were measured.

/**
 * Sampled (1) and unsampled (0) k-space positions, shared by all coils.
 *
 * Shape: [kx] selects whole columns (the ky axis, the readout, is free); [ky, kx] selects points, last axis fastest.
 */
export interface SamplingMask {
  readonly data: Uint8Array;
  readonly shape: readonly [number] | readonly [number, number];
}
