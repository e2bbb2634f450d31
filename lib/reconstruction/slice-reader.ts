// Slices as methods see them: read, whitened, undersampled, compressed, with the maps of those coils on demand.
import { type ComplexArray, expectComplex } from '../arrays/complex-array.js';
import { calibrate } from '../calibration/calibrate.js';
import { type CoilCompression, compressCoils } from '../calibration/coil-compression.js';
import { type CalibrationDiagnostics, describeGivenMaps, describeMaps } from '../calibration/diagnostics.js';
import type { MapsReader } from '../io/maps-file.js';
import type { Scan } from '../io/scan.js';
import { Mask } from '../operators/mask.js';
import { sampledCentre } from '../sampling/centre.js';
import type { MethodSetup, SliceData, SliceOptions } from './method.js';
import type { Plan } from './options.js';
import type { Preparation } from './preparation.js';
import { type DescribedMaps, SliceCalibration } from './slice-calibration.js';

/** A slice as methods see it, the keeper of its maps, and how its coils were compressed. */
export interface ReadSlice extends SliceData {
  readonly sensitivities: SliceCalibration;
  readonly compression: CoilCompression | undefined;
}

/** Reads the slices of one scan. */
export class SliceReader {
  readonly #scan: Scan;
  readonly #plan: Plan;
  readonly #preparation: Preparation;
  readonly #maps: MapsReader | undefined;
  readonly #sampled: Omit<CalibrationDiagnostics, 'maps'>;

  /** @param maps Where the caller's maps lie; without them they are estimated. */
  constructor(scan: Scan, plan: Plan, preparation: Preparation, maps: MapsReader | undefined) {
    this.#scan = scan;
    this.#plan = plan;
    this.#preparation = preparation;
    this.#maps = maps;
    const { mask, description } = plan.sampling;
    this.#sampled = { centre: sampledCentre(mask, scan.matrix[0]), acceleration: description.acceleration };
  }

  /** What the method is started with. */
  methodSetup(): MethodSetup {
    const { model, adapt, device, threads, settings, slices } = this.#plan;
    const { name, acquisition } = this.#scan;
    return { model, adapt, device, threads, settings, slices, name, acquisition, readSlice: this.read.bind(this) };
  }

  /** @param useWhole Given the whitened k-space of all coils, before undersampling and compression. */
  async read(
    index: number,
    options: SliceOptions,
    useWhole?: (white: ComplexArray) => Promise<void>,
  ): Promise<ReadSlice> {
    options.onStage?.('reading', 0);
    const white = await this.#preparation.whiten(await this.#scan.readKspace(index, options), options);
    await useWhole?.(white);
    const { mask } = this.#plan.sampling;
    const sampled = await this.#undersample(white, options);
    // Volumes may be padded with slices of zeros, from which no virtual coils can be had.
    const compression = holdsSignal(sampled) ? await this.#preparation.compression(sampled, mask, options) : undefined;
    const kspace = compression ? await compressCoils(sampled, compression, options) : sampled;
    const obtain = (): Promise<DescribedMaps> => this.#obtainMaps(index, kspace, compression, options);
    const sensitivities = new SliceCalibration(this.#sampled, obtain);
    return { index, kspace, mask, maps: () => sensitivities.maps(), sensitivities, compression };
  }

  /** The same slice with other k-space [coil, ky, kx] as scanned; virtual coils and maps stay those of the slice. */
  async withSamples(
    { index, maps, compression }: ReadSlice,
    kspace: ComplexArray,
    options: SliceOptions,
  ): Promise<SliceData> {
    const sampled = await this.#undersample(await this.#preparation.whiten(kspace, options), options);
    const { mask } = this.#plan.sampling;
    return { index, mask, maps, kspace: compression ? await compressCoils(sampled, compression, options) : sampled };
  }

  async #undersample(kspace: ComplexArray, options: SliceOptions): Promise<ComplexArray> {
    const { mask, retrospective } = this.#plan.sampling;
    return retrospective ? await new Mask(mask, kspace.shape).apply(kspace, options) : kspace;
  }

  /** Estimates the maps of a slice, or reads them where a file of them was named. */
  async #obtainMaps(
    index: number,
    kspace: ComplexArray,
    compression: CoilCompression | undefined,
    options: SliceOptions,
  ): Promise<DescribedMaps> {
    options.onStage?.('calibrating', 0);
    const { signal, threads } = options;
    const { sampling, calibration } = this.#plan;
    if (!this.#maps) {
      const estimate = await calibrate(kspace, { ...calibration, mask: sampling.mask, signal, threads });
      return { maps: estimate.maps, description: describeMaps(estimate) };
    }
    const given = await this.#maps.read(index, { signal });
    const { coils, matrix } = this.#scan;
    expectComplex('reconstruct', `maps in ${this.#maps.path}`, given, [given.shape[0], coils, ...matrix]);
    const maps = await this.#preparation.combineMaps(given, compression, { signal, threads });
    return { maps, description: describeGivenMaps(maps) };
  }
}

/** Whether any sample is not zero: otherwise there are neither maps nor an image. */
export function holdsSignal({ data }: ComplexArray): boolean {
  return data.some((value) => value !== 0);
}
