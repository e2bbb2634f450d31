// Reconstructs a scan slice by slice, with bounded memory: read, undersample, reconstruct, finish, measure.
import { type ComplexArray, complexZeros, points, type RealArray, realZeros } from '../arrays/complex-array.js';
import { firstNonFinite } from '../arrays/finite.js';
import { collectGarbage } from '../arrays/garbage.js';
import { sliceAt } from '../arrays/slices.js';
import { LarmorError } from '../errors.js';
import { MapsReader } from '../io/maps-file.js';
import { openScan, type Scan } from '../io/scan.js';
import { centerCrop } from '../metrics/metrics.js';
import { DevicePool } from './device-pool.js';
import { finish } from './finish.js';
import { rootSumOfSquares, senseReference } from './images.js';
import { createManifest, fileDigest } from './manifest.js';
import { measure } from './measure.js';
import { expectMemory, memoryOf } from './memory.js';
import type { SliceImage, SliceOptions, SliceReconstructor } from './method.js';
import { type Plan, planReconstruction, type ReconstructionOptions } from './options.js';
import { OtherContrasts } from './other-contrasts.js';
import { compressionRecord, type NoiseRecord, Preparation } from './preparation.js';
import { ProgressTracker } from './progress.js';
import type { Reconstruction, SliceReport } from './result.js';
import { holdsSignal, SliceReader } from './slice-reader.js';

/**
 * Reconstructs a scan.
 *
 * Memory: the images and `parallelism` slices at a time, see `estimateMemory`. Results do not depend on `parallelism`, nor
 * on `threads` except where ONNX Runtime's rounding does.
 *
 * @param source An open scan, which stays open, or the path of one.
 * @throws LarmorError as `openScan`; `ERR_ARGUMENT`, `ERR_MODEL`, `ERR_DEVICE`, `ERR_MASK` before any work; `ERR_OUT_OF_MEMORY`;
 *   `ERR_NOT_FINITE` for k-space with NaN; `ERR_NOISE`; `ERR_CALIBRATION`; `ERR_DIVERGED`. `signal.reason` when aborted.
 * @example const { image, metrics } = await reconstruct('brain.h5', { undersample: { acceleration: 4 } });
 */
export async function reconstruct(source: Scan | string, options: ReconstructionOptions = {}): Promise<Reconstruction> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (typeof source === 'string') {
    await using scan = await openScan(source, { signal });
    return await reconstruct(scan, options);
  }
  const plan = await planReconstruction(source, options);
  expectMemory(memoryOf(source, plan));
  return await new Pipeline(source, plan, options).run();
}

/** Garbage is collected after every so many bytes of k-space: every slice where they are large, which takes longer than collecting. */
const COLLECT_BYTES = 8 * 2 ** 20;

/** One reconstruction under way. */
class Pipeline {
  readonly #scan: Scan;
  readonly #plan: Plan;
  readonly #progress: ProgressTracker;
  /** Stops the other slices once one has failed. */
  readonly #failure = new AbortController();
  readonly #signal: AbortSignal;
  readonly #image: RealArray;
  readonly #network: RealArray | undefined;
  readonly #reference: RealArray | undefined;
  #uncollected = 0;

  constructor(scan: Scan, plan: Plan, { signal, onProgress }: ReconstructionOptions) {
    this.#scan = scan;
    this.#plan = plan;
    this.#progress = new ProgressTracker(plan.slices.length, plan.device.name, onProgress);
    this.#signal = signal ? AbortSignal.any([signal, this.#failure.signal]) : this.#failure.signal;
    const shape = [plan.slices.length, ...plan.finishing.imageShape];
    this.#image = realZeros(shape);
    this.#network = plan.method.givesNetworkImage ? realZeros(shape) : undefined;
    this.#reference = plan.reference && realZeros(shape);
  }

  async run(): Promise<Reconstruction> {
    const started = new Date();
    const begun = performance.now();
    const { method, slices, maps: mapsFile, settings, sampling } = this.#plan;
    const digest = fileDigest(this.#scan.path, this.#signal);
    digest.catch(() => {}); // it is awaited last, and must not count as unhandled before
    try {
      await using maps = mapsFile === undefined ? undefined : await MapsReader.open(mapsFile, { signal: this.#signal });
      const first = this.#sliceOptions(slices[0]);
      await using others =
        method.joint?.(settings) === 'contrasts' ? await OtherContrasts.open(this.#scan, sampling, first) : undefined;
      const preparation = await Preparation.start(this.#scan, this.#plan.preparation, first);
      await using devices = await DevicePool.open(this.#plan.device);
      const reader = new SliceReader(this.#scan, this.#plan, preparation, maps, devices, others);
      await using reconstructor = await method.start(reader.methodSetup(), first);
      const reports = await this.#runLanes(reconstructor, reader);
      this.#progress.report(slices[slices.length - 1], 'measuring', 0);
      const measured = this.#reference && (await measure(this.#reference, this.#image));
      const network = this.#reference && this.#network && (await measure(this.#reference, this.#network));
      const seconds = (performance.now() - begun) / 1000;
      const { name, contents } = this.#scan;
      const run = { name, sha256: await digest, selected: contents?.selected, started, seconds };
      return {
        image: this.#image,
        network: this.#network,
        reference: this.#reference,
        metrics: measured?.volume,
        networkMetrics: network?.volume,
        slices: reports.map((report, i) => ({
          ...report,
          metrics: measured?.slices[i],
          networkMetrics: network?.slices[i],
        })),
        manifest: createManifest(this.#plan, { ...run, noise: this.#noiseRecord(preparation.noise), slices: reports }),
      };
    } catch (error) {
      this.#failure.abort(error);
      throw error;
    }
  }

  #sliceOptions(index: number): SliceOptions {
    return {
      signal: this.#signal,
      threads: this.#plan.threads,
      onStage: (stage, fraction, left) => this.#progress.report(index, stage, fraction, left),
    };
  }

  /** Works through the slices, `parallelism` at a time. The first failure stops the others and is thrown once all have ended. */
  async #runLanes(reconstructor: SliceReconstructor, reader: SliceReader): Promise<SliceReport[]> {
    const { slices, parallelism } = this.#plan;
    const reports: SliceReport[] = new Array(slices.length);
    let next = 0;
    const lane = async (): Promise<void> => {
      try {
        while (next < slices.length) {
          const position = next;
          next += 1;
          reports[position] = await this.#reconstructSlice(reconstructor, reader, position);
          this.#collect();
        }
      } catch (error) {
        this.#failure.abort(error);
        throw error;
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: Math.min(parallelism, slices.length) }, lane));
    this.#signal.throwIfAborted();
    for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason;
    return reports;
  }

  async #reconstructSlice(
    reconstructor: SliceReconstructor,
    reader: SliceReader,
    position: number,
  ): Promise<SliceReport> {
    const index = this.#plan.slices[position];
    const begun = performance.now();
    const options = this.#sliceOptions(index);
    const noteReference = (white: ComplexArray): Promise<void> => this.#noteReference(white, index, position, options);
    const { sensitivities, compression, ...slice } = await reader.read(index, options, noteReference);
    const result: SliceImage = holdsSignal(slice.kspace)
      ? await reconstructor.reconstruct(slice, options)
      : { image: complexZeros(this.#scan.matrix), warnings: ['k-space is zero throughout; so is the image'] };
    const { image, network, solver, adaptation, device } = result;
    if (this.#plan.calibration.weighting === 'soft' || this.#plan.maps !== undefined)
      for (const component of network ? [image, network] : [image]) await sensitivities.restoreBrightness(component);
    const { finishing } = this.#plan;
    const { signal, threads } = options;
    const magnitude = await finish(image, finishing, { signal, threads });
    expectFinite(this.#plan.method.name, index, magnitude);
    sliceAt(this.#image, position).data.set(magnitude.data);
    if (network && this.#network)
      sliceAt(this.#network, position).data.set((await finish(network, finishing, { signal, threads })).data);
    this.#progress.finish(index);
    const { calibration, warnings } = await sensitivities.outcome();
    const seconds = (performance.now() - begun) / 1000;
    return {
      ...{ index, seconds, device, solver, adaptation, calibration, compression: compressionRecord(compression) },
      warnings: [
        ...(result.warnings ?? []),
        ...unfinished(result.solver),
        ...this.#emptyImage(slice.kspace, magnitude),
        ...warnings,
      ],
    };
  }

  /** An image of nothing, made from something, must not pass for a result. */
  #emptyImage(kspace: ComplexArray, magnitude: RealArray): string[] {
    if (holdsSignal(magnitude) || !holdsSignal(kspace)) return [];
    return ['the image is zero throughout, though k-space is not: lower the regularisation, or look at the coil maps'];
  }

  /** The noise of the coils, with what whitening by it means for the metrics. */
  #noiseRecord(noise: NoiseRecord | undefined): NoiseRecord | undefined {
    if (!noise || this.#plan.reference !== 'stored' || !this.#scan.hasReference) return noise;
    const warning =
      'metrics compare with the stored reference, which was not whitened: of fully sampled scans take the reference "sense" instead';
    return { ...noise, warnings: [...noise.warnings, warning] };
  }

  /** What a finished slice leaves behind must not pile up. */
  #collect(): void {
    this.#uncollected += 8 * this.#scan.coils * points(this.#scan.matrix);
    if (this.#uncollected < COLLECT_BYTES) return;
    this.#uncollected = 0;
    collectGarbage();
  }

  async #noteReference(full: ComplexArray, index: number, position: number, options: SliceOptions): Promise<void> {
    if (!this.#reference) return;
    const run = { signal: options.signal, threads: options.threads };
    const stored = this.#plan.reference === 'stored' ? await this.#scan.readReference(index, run) : undefined;
    const combined = async (): Promise<RealArray> =>
      this.#plan.reference === 'sense' ? await senseReference(full, run) : await rootSumOfSquares(full, run);
    const { data } = stored ?? centerCrop(await combined(), this.#scan.imageShape);
    sliceAt(this.#reference, position).data.set(data);
  }
}

function expectFinite(method: string, slice: number, { data }: RealArray): void {
  if (firstNonFinite(data) >= 0)
    throw new LarmorError('ERR_DIVERGED', `reconstruct: ${method} gave NaN or infinity on slice ${slice}`);
}

/** A residual beyond which an image is far from what its method stands for. */
const UNFINISHED = 0.1;

function unfinished(solver: SliceImage['solver']): string[] {
  if (!solver || solver.stop === 'tolerance' || !(solver.residual > UNFINISHED)) return [];
  const { iterations, residual } = solver;
  return [
    `the solver was far from done after ${iterations} iterations, residual ${residual.toPrecision(2)}: ` +
      'raise iterations, or choose another regularisation',
  ];
}
