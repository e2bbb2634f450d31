// Coil sensitivities of a scan, slice by slice.
import type { ComplexArray } from '../arrays/complex-array.js';
import { type CalibrationRegion, espirit } from '../calibration/espirit.js';
import type { Scan } from '../io/scan.js';
import type { CalibrationOptions } from './method.js';
import { type SliceRange, sliceRange } from './options.js';
import { planSampling } from './sampling.js';

/** What can be chosen about coil sensitivities. */
export interface MapsOptions extends CalibrationOptions {
  /** Default: all. */
  readonly slices?: SliceRange | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The maps of one slice. */
export interface SliceMaps {
  /** Position in the scan. */
  readonly index: number;
  /** [set, coil, y, x]. */
  readonly maps: ComplexArray;
  /** The part of k-space they were estimated from. */
  readonly calibration: CalibrationRegion;
  readonly seconds: number;
}

/**
 * Estimates the maps of one slice after another by ESPIRiT, from the samples the scan measured.
 *
 * @throws LarmorError as `espirit`; `ERR_ARGUMENT` for slices the scan does not have.
 */
export async function* estimateMaps(scan: Scan, options: MapsOptions = {}): AsyncGenerator<SliceMaps> {
  const { slices, ...calibration } = options;
  const { mask } = planSampling(scan, undefined);
  for (const index of sliceRange(scan, slices)) {
    const begun = performance.now();
    const kspace = await scan.readKspace(index, options);
    const { maps, calibration: region } = await espirit(kspace, { ...calibration, mask });
    yield { index, maps, calibration: region, seconds: (performance.now() - begun) / 1000 };
  }
}
