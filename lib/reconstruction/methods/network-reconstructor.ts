// Networks from a measurement and its coil maps to one image: run, adapted to the slice if asked for, then made consistent with the samples.
import type { AdaptationOutcome } from '../../adaptation/outcome.js';
import type { MeasuredSlice } from '../../adaptation/prepare.js';
import { SliceAdapter } from '../../adaptation/slice.js';
import { adaptJointly } from '../../adaptation/volume.js';
import { type ComplexArray, complexZeros } from '../../arrays/complex-array.js';
import { mapSupport } from '../../arrays/map-support.js';
import { seedFromName } from '../../arrays/mt19937.js';
import { fromPlanes, toPlanes } from '../../arrays/planar.js';
import { LarmorError } from '../../errors.js';
import type { Model } from '../../networks/model.js';
import { checkInputKind, networkInput } from '../../networks/network-input.js';
import { createPredictor, type Predictor } from '../../networks/predictor.js';
import { maskWeights } from '../../operators/mask.js';
import type { Device } from '../../runtime/devices.js';
import { dataConsistency } from '../../solvers/sense.js';
import type { MethodSetup, SliceData, SliceImage, SliceOptions, SliceReconstructor } from '../method.js';
import { firstSet, withOthers } from './first-set.js';

const NOT_ADAPTED = 'every sample of this slice was measured: nothing to adapt to, the network was left as it is';

/** What the network makes of a slice. */
interface NetworkImage {
  /** [y, x], in the units of k-space. */
  readonly image: ComplexArray;
  readonly adaptation?: AdaptationOutcome;
}

/** Runs the network on one slice at a time. */
interface Imager extends AsyncDisposable {
  image(slice: MeasuredSlice, options: SliceOptions): Promise<NetworkImage>;
}

/** The network as it was trained. */
export class PlainImager implements Imager {
  readonly #model: Model;
  readonly #device: Device;
  #predictor: Predictor | undefined;

  constructor(model: Model, device: Device) {
    this.#model = model;
    this.#device = device;
  }

  async image(
    { kspace, maps, mask }: Omit<MeasuredSlice, 'seed'>,
    { signal, threads }: SliceOptions,
  ): Promise<NetworkImage> {
    const [coils, height, width] = kspace.shape;
    const { network, weights, input } = this.#model;
    const device = this.#device;
    const kind = mask.shape.length === 1 ? 'lines' : 'points';
    const sizes = { coils, height, width, mask: kind } as const;
    this.#predictor ??= await createPredictor({ network, weights, ...sizes, threads, device, signal });
    const { image, scale } = await networkInput(kspace, maps, mask, input, { signal, threads });
    const planes = new Float32Array(2 * height * width);
    toPlanes(image, planes, scale);
    const data = { image: planes, maps: maps.data, mask: maskWeights('reconstruct', mask, height, width) };
    return { image: fromPlanes(await this.#predictor.predict(data, { signal }), [height, width], 1 / scale) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#predictor?.close();
  }
}

/** The network trained further on every slice. */
class AdaptingImager implements Imager {
  readonly #adapter: SliceAdapter;

  constructor(adapter: SliceAdapter) {
    this.#adapter = adapter;
  }

  async image(slice: MeasuredSlice, { signal, onStage }: SliceOptions): Promise<NetworkImage> {
    const onStep = (step: number, steps: number, left: number): void => onStage?.('adapting', step / steps, left);
    const { image, outcome } = await this.#adapter.adapt(slice, { signal, onStep });
    return { image, adaptation: outcome };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#adapter[Symbol.asyncDispose]();
  }
}

class NetworkReconstructor implements SliceReconstructor {
  readonly #name: string;
  readonly #seed: number | undefined;
  readonly #final: FinalStep;
  readonly #createImager: () => Imager;
  /** One imager per slice at work; those not at work wait here. */
  readonly #idle: Imager[] = [];

  constructor({ name, adapt }: MethodSetup, final: FinalStep, createImager: () => Imager) {
    this.#name = name;
    this.#seed = adapt?.seed;
    this.#final = final;
    this.#createImager = createImager;
  }

  async reconstruct(slice: SliceData, options: SliceOptions): Promise<SliceImage> {
    const measured = await networkSlice(slice, this.#name, this.#seed, options);
    if (measured.maps.data.every((value) => value === 0)) {
      const blank = complexZeros(measured.maps.shape.slice(1));
      const network = this.#final === 'none' ? undefined : blank;
      return { image: blank, network, warnings: ['no coil sees an object in this slice; the image is zero'] };
    }
    options.onStage?.('reconstructing', 0);
    const imager = this.#idle.pop() ?? this.#createImager();
    try {
      const { image: output, adaptation } = await imager.image(measured, options);
      const { maps, mask, others, whole } = measured;
      await clearOutside(output, maps);
      const { signal, threads } = options;
      const network = withOthers(output, others);
      const warnings = adaptation?.stop === 'fully-sampled' ? [NOT_ADAPTED] : [];
      if (this.#final === 'none') return { image: network, adaptation, warnings };
      const encoding = { maps: others ? whole.maps : maps, mask };
      const { x } = await dataConsistency(network, whole.kspace, encoding, { signal, threads });
      return { image: x, network, adaptation, warnings };
    } finally {
      this.#idle.push(imager);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((imager) => imager[Symbol.asyncDispose]()));
  }
}

/** What follows the network: making its image consistent with the samples, or nothing where that happens within. */
export type FinalStep = 'data-consistency' | 'none';

/** Prepares the network for a scan, and adapts it to the whole volume first where the settings ask for that. */
export async function startNetwork(
  method: string,
  final: FinalStep,
  setup: MethodSetup,
  options: SliceOptions,
): Promise<SliceReconstructor> {
  const { model, adapt, slices, readSlice, name, threads } = setup;
  if (!model) throw new LarmorError('ERR_INTERNAL', `reconstruct: method ${method} was started without its model`);
  const { inChannels, outChannels } = model.network;
  if (inChannels !== 2 || outChannels !== 2)
    throw new LarmorError(
      'ERR_MODEL',
      `reconstruct: method ${method} needs a model from 2 channels to 2 (real, imaginary), ` +
        `got ${inChannels} to ${outChannels}`,
    );
  checkInputKind('reconstruct', model.network, model.input);
  if (!adapt) return new NetworkReconstructor(setup, final, () => new PlainImager(model, setup.device.name));
  const { signal, onStage } = options;
  const read = async (i: number): Promise<MeasuredSlice> =>
    networkSlice(await readSlice(slices[i], { signal, threads }), name, adapt.seed, { signal, threads });
  const onStep = (step: number, steps: number): void => onStage?.('adapting', step / steps);
  const joint =
    adapt.volumeIterations > 0
      ? await adaptJointly(model, adapt, slices.length, read, { signal, threads, onStep })
      : undefined;
  return new NetworkReconstructor(
    setup,
    final,
    () => new AdaptingImager(new SliceAdapter(model, adapt, { threads, joint })),
  );
}

/** A slice as the network sees it, and what the final data consistency needs beside. */
interface NetworkSlice extends MeasuredSlice {
  readonly others: ComplexArray | undefined;
  /** Maps [set, coil, y, x] and samples of all sets. */
  readonly whole: { readonly maps: ComplexArray; readonly kspace: ComplexArray };
}

/** Of several sets of maps the network makes the image of the first. Held-out samples differ from slice to slice. */
async function networkSlice(
  { kspace, mask, index, maps }: SliceData,
  name: string,
  seed: number | undefined,
  { signal, threads }: SliceOptions,
): Promise<NetworkSlice> {
  const whole = { maps: await maps(), kspace };
  const first = await firstSet(kspace, whole.maps, mask, { signal, threads });
  return { ...first, mask, whole, seed: [...(seed === undefined ? seedFromName(name) : [seed]), index] };
}

/** Sets an image [y, x] to zero where every map [coil, y, x] is: there the data say nothing about it. */
async function clearOutside(image: ComplexArray, maps: ComplexArray): Promise<void> {
  const inside = await mapSupport(maps);
  for (let i = 0; i < inside.length; i += 1) if (inside[i] === 0) image.data.fill(0, 2 * i, 2 * i + 2);
}
