// Slices as methods see them: read, whitened, undersampled, compressed, with the maps of those coils on demand.
import { type ComplexArray, expectComplex } from '../arrays/complex-array.js';
import { type CoilCompression, compressCoils } from '../calibration/coil-compression.js';
import { type CalibrationDiagnostics, describeGivenMaps, describeMaps } from '../calibration/diagnostics.js';
import type { MapsReader } from '../io/maps-file.js';
import type { Scan } from '../io/scan.js';
import { Mask } from '../operators/mask.js';
import { sampledCentre } from '../sampling/centre.js';
import { calibrateOn } from './calibrate-on-device.js';
import type { DevicePool } from './device-pool.js';
import type { MethodSetup, Samples, SliceData, SliceOptions } from './method.js';
import type { Plan } from './options.js';
import type { OtherContrasts } from './other-contrasts.js';
import type { Preparation } from './preparation.js';
import type { Sampling } from './sampling.js';
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
  readonly #devices: DevicePool | undefined;
  readonly #others: OtherContrasts | undefined;
  readonly #sampled: Omit<CalibrationDiagnostics, 'maps'>;

  /**
   * @param maps Where the caller's maps lie; without them they are estimated.
   * @param devices For methods that run elsewhere than on the CPU.
   * @param others For methods that reconstruct all contrasts at once.
   */
  constructor(
    scan: Scan,
    plan: Plan,
    preparation: Preparation,
    maps: MapsReader | undefined,
    devices: DevicePool | undefined,
    others?: OtherContrasts | undefined,
  ) {
    this.#scan = scan;
    this.#plan = plan;
    this.#preparation = preparation;
    this.#maps = maps;
    this.#devices = devices;
    this.#others = others;
    const { mask, description } = plan.sampling;
    this.#sampled = { centre: sampledCentre(mask, scan.matrix[0]), acceleration: description.acceleration };
  }

  /** What the method is started with. */
  methodSetup(): MethodSetup {
    const { model, adapt, device, threads, settings, slices } = this.#plan;
    const { name, acquisition, slices: scanSlices } = this.#scan;
    const readSlice = this.read.bind(this);
    const devices = this.#devices;
    return { model, adapt, device, devices, threads, settings, slices, scanSlices, name, acquisition, readSlice };
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
    const { sampling } = this.#plan;
    const { mask } = sampling;
    const sampled = await undersample(white, sampling, options);
    // Volumes may be padded with slices of zeros, from which no virtual coils can be had.
    const compression = holdsSignal(sampled) ? await this.#preparation.compression(sampled, mask, options) : undefined;
    const kspace = compression ? await compressCoils(sampled, compression, options) : sampled;
    const obtain = (): Promise<DescribedMaps> => this.#obtainMaps(index, kspace, compression, options);
    const sensitivities = new SliceCalibration(this.#sampled, obtain);
    const maps = (): Promise<ComplexArray> => sensitivities.maps();
    const otherContrasts = (): Promise<readonly Samples[]> => this.#readOthers(index, compression, options);
    return { index, kspace, mask, maps, otherContrasts, sensitivities, compression };
  }

  /** The same slice with other k-space [coil, ky, kx] as scanned; virtual coils and maps stay those of the slice. */
  async withSamples(slice: ReadSlice, kspace: ComplexArray, options: SliceOptions): Promise<SliceData> {
    const { index, maps, otherContrasts, compression } = slice;
    const samples = await this.#prepare(kspace, this.#plan.sampling, compression, options);
    return { index, maps, otherContrasts, ...samples };
  }

  /** Whitened, undersampled and compressed as a slice was. */
  async #prepare(
    kspace: ComplexArray,
    sampling: Sampling,
    compression: CoilCompression | undefined,
    options: SliceOptions,
  ): Promise<Samples> {
    const sampled = await undersample(await this.#preparation.whiten(kspace, options), sampling, options);
    const { mask } = sampling;
    return { mask, kspace: compression ? await compressCoils(sampled, compression, options) : sampled };
  }

  async #readOthers(
    index: number,
    compression: CoilCompression | undefined,
    options: SliceOptions,
  ): Promise<readonly Samples[]> {
    const samples: Samples[] = [];
    for (const { scan, sampling } of this.#others?.contrasts ?? [])
      samples.push(await this.#prepare(await scan.readKspace(index, options), sampling, compression, options));
    return samples;
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
      const wanted = { ...calibration, mask: sampling.mask, signal, threads };
      const estimate = await calibrateOn(this.#devices, kspace, wanted);
      return { maps: estimate.maps, description: describeMaps(estimate) };
    }
    const given = await this.#maps.read(index, { signal });
    const { coils, matrix } = this.#scan;
    expectComplex('reconstruct', `maps in ${this.#maps.path}`, given, [given.shape[0], coils, ...matrix]);
    const maps = await this.#preparation.combineMaps(given, compression, { signal, threads });
    return { maps, description: describeGivenMaps(maps) };
  }
}

async function undersample(
  kspace: ComplexArray,
  { mask, retrospective }: Sampling,
  options: SliceOptions,
): Promise<ComplexArray> {
  return retrospective ? await new Mask(mask, kspace.shape).apply(kspace, options) : kspace;
}

/** Whether any sample is not zero: otherwise there are neither maps nor an image. */
export function holdsSignal({ data }: ComplexArray): boolean {
  return data.some((value) => value !== 0);
}
