// What runs a network on one slice at a time: as it was trained, or trained further on the slice.
import type { AdaptationSettings } from '../../adaptation/options.js';
import type { AdaptationOutcome } from '../../adaptation/outcome.js';
import { SliceAdapter } from '../../adaptation/slice.js';
import type { MeasuredSlice } from '../../adaptation/viewpoint.js';
import { adaptJointly } from '../../adaptation/volume.js';
import type { ComplexArray } from '../../arrays/complex-array.js';
import { fromPlanes, toPlanes } from '../../arrays/planar.js';
import type { Model } from '../../networks/model.js';
import { networkInput } from '../../networks/network-input.js';
import { createPredictor, type Predictor } from '../../networks/predictor.js';
import { maskWeights } from '../../operators/mask.js';
import type { Device } from '../../runtime/devices.js';
import type { TrainingState } from '../../training/adam.js';
import { isOfDevice } from '../fall-back.js';
import type { MethodSetup, SliceOptions } from '../method.js';

const NOT_ADAPTED = 'every sample of this slice was measured: nothing to adapt to, the network was left as it is';

/** What a report of a slice should say of its adaptation beside the outcome. */
export const adaptationWarnings = (outcome: AdaptationOutcome | undefined): readonly string[] =>
  outcome?.stop === 'fully-sampled' ? [NOT_ADAPTED] : [];

/** What the network makes of a slice. */
export interface NetworkImage {
  /** [y, x], or [coil, y, x] of networks that give coil images; in the units of k-space. */
  readonly image: ComplexArray;
  readonly adaptation?: AdaptationOutcome;
}

/** A slice for a network that needs the maps of others. */
export type SliceWithMaps = Omit<MeasuredSlice, 'seed'> & { readonly maps: ComplexArray };

/** Runs the network on one slice at a time. */
export interface Imager<Slice = MeasuredSlice> extends AsyncDisposable {
  image(slice: Slice, options: SliceOptions): Promise<NetworkImage>;
}

/** A network that gives one image, as it was trained. */
export class PlainImager implements Imager<SliceWithMaps> {
  readonly #model: Model;
  readonly #device: Device;
  #predictor: Predictor | undefined;

  constructor(model: Model, device: Device) {
    this.#model = model;
    this.#device = device;
  }

  async image({ kspace, maps, mask }: SliceWithMaps, { signal, threads }: SliceOptions): Promise<NetworkImage> {
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
    await this.#predictor?.close();
  }
}

/** Any network, trained further on every slice. */
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

/**
 * Prepares the adaptation of a model to the slices of a scan, and adapts it to the whole volume first where the settings ask for that.
 *
 * @param read Measures one of `setup.slices`, by its position among them.
 * @returns Makes an imager on a device.
 */
export async function adaptingImagers(
  model: Model,
  adapt: AdaptationSettings,
  { slices, threads, device }: Pick<MethodSetup, 'slices' | 'threads' | 'device'>,
  read: (i: number) => Promise<MeasuredSlice>,
  { signal, onStage }: SliceOptions,
): Promise<(device: Device) => Imager> {
  const onStep = (step: number, steps: number): void => onStage?.('adapting', step / steps);
  const together = (on: Device): Promise<TrainingState | undefined> =>
    adaptJointly(model, adapt, slices.length, read, { device: on, signal, threads, onStep });
  const joint =
    adapt.volumeIterations === 0
      ? undefined
      : await together(device.name).catch((error: unknown) => {
          if (device.kind === 'cpu' || !device.automatic || !isOfDevice(error)) throw error;
          return together('cpu');
        });
  return (on) => new AdaptingImager(new SliceAdapter(model, adapt, { device: on, threads, joint }));
}
