// What a reconstruction gives: images, metrics, and what happened to every slice.
import type { AdaptationOutcome } from '../adaptation/outcome.js';
import type { RealArray } from '../arrays/complex-array.js';
import type { CalibrationDiagnostics } from '../calibration/diagnostics.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Manifest } from './manifest.js';
import type { SliceImage } from './method.js';
import type { CompressionRecord } from './preparation.js';

/** What happened to one slice. */
export interface SliceReport {
  /** Position in the scan. */
  readonly index: number;
  readonly seconds: number;
  /** Where it was computed, of methods that run elsewhere than on the CPU. */
  readonly device?: string | undefined;
  /** Against the reference, with the data range of the volume. */
  readonly metrics?: Metrics | undefined;
  /** Metrics of the network's own output, before the final data consistency. */
  readonly networkMetrics?: Metrics | undefined;
  /** How the solver ended, of iterative methods. */
  readonly solver?: SliceImage['solver'];
  readonly adaptation?: AdaptationOutcome | undefined;
  /** What the slice was calibrated on, and how far its coil maps can be trusted. */
  readonly calibration: CalibrationDiagnostics;
  /** How its coils were compressed. */
  readonly compression?: CompressionRecord | undefined;
  readonly warnings: readonly string[];
}

/** A reconstructed scan. */
export interface Reconstruction {
  /** Magnitude [slice, y, x], in the units of the scan's reference; of another size where it was interpolated. */
  readonly image: RealArray;
  /** Of methods with a network: its own output before the final data consistency, [slice, y, x]. */
  readonly network?: RealArray | undefined;
  /** The reference [slice, y, x]: the file's, or the root sum of squares of fully sampled k-space. */
  readonly reference?: RealArray | undefined;
  /** Of the volume, when there is a reference. */
  readonly metrics?: Metrics | undefined;
  readonly networkMetrics?: Metrics | undefined;
  readonly slices: readonly SliceReport[];
  readonly manifest: Manifest;
}
