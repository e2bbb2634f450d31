// How far the coil sensitivities of a slice can be trusted, in figures and in words.
import type { ComplexArray } from '../arrays/complex-array.js';
import type { SampledCentre } from '../sampling/centre.js';
import type { Calibration } from './calibrate.js';
import { accelerationWarnings, type CalibrationRegion } from './calibration-data.js';
import { KERNEL } from './espirit.js';

/** What the maps of a slice rest on. */
export interface CalibrationDiagnostics {
  /** The fully sampled centre of k-space, however much of it was used. */
  readonly centre: SampledCentre;
  /** Acquired positions over sampled ones. */
  readonly acceleration: number;
  /** Of the maps, where the method of reconstruction used any. */
  readonly maps?: MapsDiagnostics | undefined;
}

/** What was found while maps were estimated, or where they came from. */
export interface MapsDiagnostics extends Partial<Omit<Calibration, 'maps' | 'method' | 'calibration'>> {
  /** `file`: given by the caller. */
  readonly method: Calibration['method'] | 'file';
  readonly sets: number;
  /** The samples used, of estimated maps. */
  readonly region?: CalibrationRegion | undefined;
}

/** Centre lines per side of the kernel below which ESPIRiT's maps go wrong: measured, see docs/methods.md. */
const KERNELS_OF_LINES = 2;
/** With fewer centre lines maps lose detail whatever the kernel. */
const FEW_LINES = 10;
/** Share of the calibration data that good maps of real scans leave unexplained is below 2 %. */
const MUCH_UNEXPLAINED = 0.05;
/** In scans whose object lies within the field of view the share is below 0.6 %. */
const MUCH_FOLDED = 0.006;

/** The maps' part of the diagnostics. */
export function describeMaps({ maps, calibration, ...rest }: Calibration): MapsDiagnostics {
  return { sets: maps.shape[0], region: calibration, ...rest };
}

/** Sets of maps [set, coil, y, x] that came from elsewhere. */
export function describeGivenMaps({ shape }: ComplexArray): MapsDiagnostics {
  return { method: 'file', sets: shape[0] };
}

/** What the user should know before trusting the maps, and what to do about it. */
export function mapWarnings({ maps, acceleration }: CalibrationDiagnostics, coils: number): string[] {
  if (!maps) return [];
  const warnings: string[] = [];
  const { region, kernel, unexplained, support, sets, folded } = maps;
  const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;
  if (region && kernel !== undefined) {
    const side = Math.min(region.rows, region.columns);
    const found = `the fully sampled centre used is only ${region.rows} x ${region.columns}`;
    if (side < KERNELS_OF_LINES * kernel)
      warnings.push(
        `the coil maps cannot be trusted: ${found}, and a kernel of ${kernel} needs ${KERNELS_OF_LINES * kernel} centre lines; ` +
          `take a kernel of ${Math.max(1, Math.floor(side / KERNELS_OF_LINES))}, measure more centre lines, or supply maps`,
      );
    else if (side < FEW_LINES)
      warnings.push(
        `the coil maps are coarse: ${found}, which allows a kernel of ${kernel}; measure ${KERNELS_OF_LINES * KERNEL} centre lines or more, ` +
          'or supply maps',
      );
  }
  if (support === 0)
    warnings.push('the coil maps are zero throughout; lower the crop, or look at the calibration data');
  else if (unexplained !== undefined && unexplained > MUCH_UNEXPLAINED)
    warnings.push(
      `the coil maps leave ${percent(unexplained)} of the calibration data unexplained: look for motion, lower the crop, or take more sets of maps`,
    );
  if (sets === 1 && folded !== undefined && folded > MUCH_FOLDED)
    warnings.push(
      `two parts of the object lie on each other in ${percent(folded)} of the image, because it reaches beyond the field of view; take 2 sets of maps`,
    );
  const consequence =
    'coil sensitivities alone cannot resolve it; trust only a method with a prior, or measure more lines';
  return [...warnings, ...accelerationWarnings(acceleration, coils, consequence)];
}
