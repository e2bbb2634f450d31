// Signal-to-noise ratio and g-factor of any method, measured: the scan is reconstructed many times with noise added.
import { type ComplexArray, complexUninitialised, points, type RealArray, realZeros } from '../arrays/complex-array.js';
import { sliceAt } from '../arrays/slices.js';
import { binding } from '../binding.js';
import { expectCovariance, type NoiseCovariance } from '../calibration/noise.js';
import { LarmorError } from '../errors.js';
import { MapsReader } from '../io/maps-file.js';
import { openScan, type Scan } from '../io/scan.js';
import { runJob } from '../jobs.js';
import { centerCrop } from '../metrics/metrics.js';
import { DevicePool } from './device-pool.js';
import { softwareVersions } from './manifest.js';
import type { SliceOptions, SliceReconstructor } from './method.js';
import { type Plan, planReconstruction, type ReconstructionOptions } from './options.js';
import { measureNoise, type NoiseRecord, Preparation } from './preparation.js';
import { ReplicaStatistics } from './replica-statistics.js';
import { holdsSignal, SliceReader } from './slice-reader.js';

/** What can be chosen about pseudo multiple replicas: how to reconstruct, and what is here. */
export interface PseudoReplicaOptions
  extends Omit<ReconstructionOptions, 'adapt' | 'reference' | 'parallelism' | 'onProgress'> {
  /** Reconstructions of every slice, at least 2. Default: 100. */
  readonly replicas?: number | undefined;
  /** Of the added noise, a whole number below 2^53. Default: 0. */
  readonly noiseSeed?: number | undefined;
  /** Of the coils' noise. Default: that of the file's noise scan, else that of the image's background. */
  readonly covariance?: NoiseCovariance | undefined;
  /** Fraction done, from 0 to 1, and the slice at work. */
  readonly onProgress?: ((fraction: number, slice: number) => void) | undefined;
}

/** Measured noise of reconstructed images, in magnitude images' terms. */
export interface NoiseMaps {
  /** Magnitude over the deviation of its noise: [slice, y, x]; 0 where the image is. */
  readonly snr: RealArray;
  /**
   * Deviation of the noise over sqrt(R) times that of the fully sampled scan, reconstructed alike with the same maps: [slice, y, x], 0 where
   * the image is. Only of fully sampled scans, which alone can be reconstructed both ways.
   */
  readonly gFactor?: RealArray | undefined;
  /** R: acquired over sampled positions. */
  readonly acceleration: number;
  readonly replicas: number;
  /** Relative standard error of every pixel of `snr`, 1 / sqrt(2 (replicas - 1)); of `gFactor` it is at most sqrt(2) times that. */
  readonly standardError: number;
  readonly manifest: NoiseMapsManifest;
}

/** Where noise maps come from. */
export interface NoiseMapsManifest {
  readonly larmor: string;
  readonly node: string;
  readonly isa: string;
  readonly input: string;
  readonly method: string;
  readonly options: { readonly settings: Plan['settings']; readonly preparation: Plan['preparation'] };
  readonly sampling: Plan['sampling']['description'];
  readonly noise: Omit<NoiseRecord, 'source'> & { readonly source: NoiseRecord['source'] | 'given' };
  readonly replicas: number;
  readonly noiseSeed: number;
  readonly slices: readonly number[];
  readonly seconds: number;
}

/**
 * Signal-to-noise ratio and g-factor by pseudo multiple replicas: noise of the coils' covariance is added to the samples that are not 0, the
 * slice reconstructed, and so on `replicas` times; the deviation over the images is the noise of the method, whatever it does. Whitening,
 * virtual coils and maps are found once, from the scan itself; what a method calibrates by itself, such as GRAPPA's weights, it does anew.
 *
 * Noise is that of the images before filters, interpolation and crop. Non-linear methods are measured at the scan's own noise plus as much.
 *
 * Memory: one slice at work and two numbers in double a pixel; it does not grow with `replicas`.
 *
 * @throws LarmorError as `reconstruct`; `ERR_ARGUMENT` for options out of range; `ERR_NOISE` where the noise is not known.
 * @see Robson et al., Magn Reson Med 2008;60:895-907.
 * @example const { snr, gFactor } = await pseudoReplica('brain.h5', { method: 'grappa', undersample: { acceleration: 3 } });
 */
export async function pseudoReplica(source: Scan | string, options: PseudoReplicaOptions = {}): Promise<NoiseMaps> {
  options.signal?.throwIfAborted();
  if (typeof source === 'string') {
    await using scan = await openScan(source, { signal: options.signal });
    return await pseudoReplica(scan, options);
  }
  const { replicas = 100, noiseSeed = 0, covariance, onProgress, ...reconstruction } = options;
  if (!(Number.isSafeInteger(replicas) && replicas >= 2 && replicas <= MOST_REPLICAS))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `pseudoReplica: replicas must be an integer from 2 to ${MOST_REPLICAS}, got ${replicas}`,
    );
  if (!(Number.isSafeInteger(noiseSeed) && noiseSeed >= 0))
    throw new LarmorError('ERR_ARGUMENT', `pseudoReplica: noiseSeed must be a whole number, got ${noiseSeed}`);
  if (covariance) expectCovariance('pseudoReplica', covariance, source.coils);
  const plan = await planReconstruction(source, reconstruction);
  const { method, settings } = plan;
  if (method.joint?.(settings))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `pseudoReplica: ${method.name} across ${settings.across} rests on k-space to which no noise is added; leave "across" out`,
    );
  const whole = source.fullySampled
    ? await planReconstruction(source, { ...reconstruction, undersample: undefined })
    : undefined;
  return await new Replicas(source, plan, whole, { replicas, noiseSeed, covariance, onProgress }, options.signal).run();
}

/** Replicas of a slice have numbers of their own in 32 bits, so that no two slices share their noise. */
const MOST_REPLICAS = 10_000;

interface Settings extends Pick<PseudoReplicaOptions, 'covariance' | 'onProgress'> {
  readonly replicas: number;
  readonly noiseSeed: number;
}

/** A method at work, and the slices it sees. */
interface Way {
  readonly reader: SliceReader;
  readonly reconstructor: SliceReconstructor;
}

/** Of one slice, each [y, x]. */
interface Measured {
  readonly magnitude: RealArray;
  readonly deviation: RealArray;
  /** Of the fully sampled slice. */
  readonly wholeDeviation: RealArray | undefined;
}

/** One measurement under way. */
class Replicas {
  readonly #scan: Scan;
  readonly #plan: Plan;
  readonly #whole: Plan | undefined;
  readonly #settings: Settings;
  readonly #options: SliceOptions;

  constructor(scan: Scan, plan: Plan, whole: Plan | undefined, settings: Settings, signal: AbortSignal | undefined) {
    this.#scan = scan;
    this.#plan = plan;
    this.#whole = whole;
    this.#settings = settings;
    this.#options = { signal, threads: plan.threads };
  }

  async run(): Promise<NoiseMaps> {
    const begun = performance.now();
    const { slices, maps: mapsFile, sampling, method, settings } = this.#plan;
    const { replicas, noiseSeed, onProgress } = this.#settings;
    await using maps = mapsFile === undefined ? undefined : await MapsReader.open(mapsFile, this.#options);
    const preparation = await Preparation.start(this.#scan, this.#plan.preparation, this.#options);
    const noise = await this.#noise(preparation);
    await using devices = await DevicePool.open(this.#plan.device);
    const reader = new SliceReader(this.#scan, this.#plan, preparation, maps, devices);
    await using reconstructor = await method.start(reader.methodSetup(), this.#options);
    const wholeReader = new SliceReader(this.#scan, this.#whole ?? this.#plan, preparation, maps, devices);
    await using whole = this.#whole && (await method.start(wholeReader.methodSetup(), this.#options));
    const accelerated = { reader, reconstructor };
    const full = whole && { reader: wholeReader, reconstructor: whole };

    const shape = [slices.length, ...this.#scan.imageShape];
    const snr = realZeros(shape);
    const gFactor = full && realZeros(shape);
    const { acceleration } = sampling.description;
    for (const [position, index] of slices.entries()) {
      const progress = (fraction: number): void => onProgress?.((position + fraction) / slices.length, index);
      const measured = await this.#measure(accelerated, full, index, noise.covariance, progress);
      if (!measured) continue;
      const { magnitude, deviation, wholeDeviation } = measured;
      this.#place(snr, position, magnitude, deviation, 1);
      if (gFactor && wholeDeviation)
        this.#place(gFactor, position, deviation, wholeDeviation, 1 / Math.sqrt(acceleration));
    }
    const { samples, condition, warnings } = noise.covariance;
    return {
      ...{ snr, gFactor, acceleration, replicas },
      standardError: 1 / Math.sqrt(2 * (replicas - 1)),
      manifest: {
        ...softwareVersions(),
        input: this.#scan.name,
        method: method.name,
        options: { settings, preparation: this.#plan.preparation },
        sampling: sampling.description,
        noise: { source: noise.source, samples, condition, warnings },
        ...{ replicas, noiseSeed, slices },
        seconds: (performance.now() - begun) / 1000,
      },
    };
  }

  async #noise(
    preparation: Preparation,
  ): Promise<{ source: NoiseMapsManifest['noise']['source']; covariance: NoiseCovariance }> {
    const { covariance } = this.#settings;
    if (covariance) return { source: 'given', covariance };
    if (preparation.covariance && preparation.noise)
      return { source: preparation.noise.source, covariance: preparation.covariance };
    const scanned = await measureNoise(this.#scan, 'noise-scan', this.#options);
    return scanned ?? (await measureNoise(this.#scan, 'background', this.#options))!;
  }

  /** Undefined for a slice of zeros. */
  async #measure(
    accelerated: Way,
    full: Way | undefined,
    index: number,
    covariance: NoiseCovariance,
    onProgress: (fraction: number) => void,
  ): Promise<Measured | undefined> {
    const { replicas } = this.#settings;
    const kspace = await this.#scan.readKspace(index, this.#options);
    const slice = await accelerated.reader.read(index, this.#options);
    if (!holdsSignal(slice.kspace)) return undefined;
    const image = async ({ reader, reconstructor }: Way, samples: ComplexArray): Promise<ComplexArray> => {
      const data = await reader.withSamples(slice, samples, this.#options);
      return (await reconstructor.reconstruct(data, this.#options)).image;
    };
    const statistics = await ReplicaStatistics.around(await image(accelerated, kspace));
    const whole = full && (await ReplicaStatistics.around(await image(full, kspace)));
    for (let replica = 0; replica < replicas; replica += 1) {
      const noisy = await this.#addNoise(kspace, covariance, index * MOST_REPLICAS + replica);
      await statistics.add(await image(accelerated, noisy));
      if (full) await whole?.add(await image(full, noisy));
      onProgress((replica + 1) / replicas);
    }
    return { magnitude: statistics.magnitude, deviation: statistics.deviation(), wholeDeviation: whole?.deviation() };
  }

  async #addNoise(kspace: ComplexArray, { matrix }: NoiseCovariance, replica: number): Promise<ComplexArray> {
    const noisy = complexUninitialised(kspace.shape);
    const [coils, ...shape] = kspace.shape;
    const { threads } = this.#plan;
    const { noiseSeed: seed } = this.#settings;
    await runJob(1, { signal: this.#options.signal }, (control) =>
      binding.addNoise(control, coils, points(shape), matrix, seed, replica, kspace.data, noisy.data, threads),
    );
    return noisy;
  }

  /** Writes factor * numerator / denominator, 0 where the denominator is 0, cropped. */
  #place(volume: RealArray, position: number, numerator: RealArray, denominator: RealArray, factor: number): void {
    const ratio = realZeros(numerator.shape);
    denominator.data.forEach((value, i) => {
      ratio.data[i] = value > 0 ? (factor * numerator.data[i]) / value : 0;
    });
    sliceAt(volume, position).data.set(centerCrop(ratio, this.#scan.imageShape).data);
  }
}
