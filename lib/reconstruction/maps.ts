// Coil sensitivities of a scan, slice by slice.
import { type Calibration, type CalibrationOptions, calibrate } from '../calibration/calibrate.js';
import type { CalibrationSource } from '../calibration/calibration-data.js';
import { type CalibrationDiagnostics, describeMaps, mapWarnings } from '../calibration/diagnostics.js';
import type { Scan } from '../io/scan.js';
import { sampledCentre } from '../sampling/centre.js';
import { type SliceRange, sliceRange } from './options.js';
import { planSampling } from './sampling.js';

/** What can be chosen about coil sensitivities. */
export interface MapsOptions extends CalibrationOptions, Pick<CalibrationSource, 'matrix'> {
  /** Default: all. */
  readonly slices?: SliceRange | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The maps of one slice: [set, coil, y, x], and how far they can be trusted. */
export interface SliceMaps extends Pick<Calibration, 'maps'> {
  /** Position in the scan. */
  readonly index: number;
  readonly calibration: CalibrationDiagnostics;
  readonly warnings: readonly string[];
  readonly seconds: number;
}

/**
 * Estimates the maps of one slice after another, from the samples the scan measured.
 *
 * @throws LarmorError as `calibrate`; `ERR_ARGUMENT` for slices the scan does not have.
 */
export async function* estimateMaps(scan: Scan, options: MapsOptions = {}): AsyncGenerator<SliceMaps> {
  const { slices, ...chosen } = options;
  const { mask, description } = planSampling(scan, undefined);
  const centre = sampledCentre(mask, scan.matrix[0]);
  for (const index of sliceRange(scan, slices)) {
    const begun = performance.now();
    const kspace = await scan.readKspace(index, options);
    const estimate = await calibrate(kspace, { ...chosen, mask });
    const calibration = { centre, acceleration: description.acceleration, maps: describeMaps(estimate) };
    const seconds = (performance.now() - begun) / 1000;
    yield { index, maps: estimate.maps, calibration, warnings: mapWarnings(calibration, kspace.shape[0]), seconds };
  }
}
