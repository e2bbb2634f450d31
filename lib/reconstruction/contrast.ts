// Weights of sparsity that were tuned for contrasts of the fastMRI data.
import type { SamplingMask } from '../sampling/mask.js';

/** At 4-fold and at 8-fold acceleration, by the scan's attribute `acquisition`. */
const FASTMRI_LAMBDAS: Readonly<Record<string, readonly [number, number]>> = {
  CORPD_FBK: [0.01, 0.01],
  CORPDFS_FBK: [0.001, 0.01],
  AXT1: [0.001, 0.01],
  AXT1PRE: [0.001, 0.01],
  AXT1POST: [0.01, 0.01],
  AXT2: [0.01, 0.01],
  AXFLAIR: [0.01, 0.001],
};

/**
 * The weight, relative to the data scale, of fastMRI's compressed sensing baseline for this contrast, which is total variation by BART's pics;
 * wavelets take it over, as their weights are of the same size. Undefined for scans of other origin.
 *
 * @param mask Its share of sampled positions chooses between 4- and 8-fold: the border is at 6.
 * @see fastmri_examples/cs/cs_config.yaml of the fastMRI repository.
 */
export function fastmriLambda(acquisition: string | undefined, mask: SamplingMask): number | undefined {
  const lambdas = acquisition === undefined ? undefined : FASTMRI_LAMBDAS[acquisition];
  const acceleration = mask.data.length / mask.data.reduce((sum, value) => sum + value, 0);
  return lambdas?.[acceleration < 6 ? 0 : 1];
}
