// The coil maps of one slice, estimated or read when first asked for, and what is known of them afterwards.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, points, type RealArray } from '../arrays/complex-array.js';
import { componentAt } from '../arrays/slices.js';
import { type CalibrationDiagnostics, type MapsDiagnostics, mapWarnings } from '../calibration/diagnostics.js';
import { combineComponents } from './images.js';

/** Maps of norm 1 are so to the rounding of float32 sums over coils. */
const UNIT_TOLERANCE = 1e-5;

/** Maps [set, coil, y, x] and their description. */
export interface DescribedMaps {
  readonly maps: ComplexArray;
  readonly description: MapsDiagnostics;
}

/** What the calibration of a slice came to. */
export interface CalibrationOutcome {
  readonly calibration: CalibrationDiagnostics;
  readonly warnings: readonly string[];
}

export class SliceCalibration {
  readonly #known: Omit<CalibrationDiagnostics, 'maps'>;
  readonly #obtain: () => Promise<DescribedMaps>;
  #obtained: Promise<DescribedMaps> | undefined;

  constructor(known: Omit<CalibrationDiagnostics, 'maps'>, obtain: () => Promise<DescribedMaps>) {
    this.#known = known;
    this.#obtain = obtain;
  }

  async maps(): Promise<ComplexArray> {
    this.#obtained ??= this.#obtain();
    return (await this.#obtained).maps;
  }

  /** Once the slice is reconstructed: what is known, and what to warn of. Without the maps where none were asked for. */
  async outcome(): Promise<CalibrationOutcome> {
    const obtained = await this.#obtained;
    const calibration = { ...this.#known, maps: obtained?.description };
    return { calibration, warnings: obtained ? mapWarnings(calibration, obtained.maps.shape[1]) : [] };
  }

  /**
   * Multiplies images [set, y, x] by the norm of each set's maps, so that softly weighted maps leave the brightness of the object as unit
   * maps do. Images that do not come from the maps, and those of maps of norm 1, stay as they are.
   */
  async restoreBrightness(image: ComplexArray): Promise<void> {
    const obtained = await this.#obtained;
    if (!obtained || image.shape.length !== 3 || image.shape[0] !== obtained.maps.shape[0]) return;
    for (let set = 0; set < image.shape[0]; set += 1) {
      weigh(componentAt(image, set), await combineComponents(componentAt(obtained.maps, set)));
      await nextTurn();
    }
  }
}

function weigh({ data, shape }: ComplexArray, weights: RealArray): void {
  for (let i = 0; i < points(shape); i += 1) {
    const weight = weights.data[i];
    if (Math.abs(weight - 1) < UNIT_TOLERANCE) continue;
    data[2 * i] *= weight;
    data[2 * i + 1] *= weight;
  }
}
