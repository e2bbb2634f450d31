// Runs an end-to-end VarNet on the slices of a scan, as fastMRI does, or adapts it to every slice.

import type { MeasuredSlice } from '../../adaptation/viewpoint.js';
import { seedFromName } from '../../arrays/mt19937.js';
import { LarmorError } from '../../errors.js';
import { calibrationColumns } from '../../networks/calibration-columns.js';
import { measuredColumns } from '../../networks/measured-columns.js';
import type { Model } from '../../networks/model.js';
import { createPredictor, type Predictor } from '../../networks/predictor.js';
import type { Device, ResolvedDevice } from '../../runtime/devices.js';
import type { MethodSetup, SliceData, SliceImage, SliceOptions, SliceReconstructor } from '../method.js';
import { ImagerPool } from './imager-pool.js';
import { adaptationWarnings, adaptingImagers, type Imager, type NetworkImage } from './imagers.js';

/** Prepares the network for a scan, and adapts it to the whole volume first where the settings ask for that. */
export async function startVarnet(setup: MethodSetup, options: SliceOptions): Promise<SliceReconstructor> {
  const { model, device, adapt, slices, readSlice, name, threads } = setup;
  if (!model) throw new LarmorError('ERR_INTERNAL', 'reconstruct: method varnet was started without its model');
  const seed = adapt?.seed === undefined ? seedFromName(name) : [adapt.seed];
  if (!adapt) return new VarnetReconstructor(seed, device, (on) => new VarnetImager(model, on));
  const { signal } = options;
  const read = async (i: number): Promise<MeasuredSlice> =>
    measuredSlice(await readSlice(slices[i], { signal, threads }), seed);
  return new VarnetReconstructor(seed, device, await adaptingImagers(model, adapt, setup, read, options));
}

/** Held-out samples differ from slice to slice. @throws LarmorError `ERR_MASK` for a mask of points. */
function measuredSlice({ kspace, mask, index }: SliceData, seed: readonly number[]): MeasuredSlice {
  if (mask.shape.length !== 1)
    throw new LarmorError(
      'ERR_MASK',
      'reconstruct: method varnet needs a mask of whole columns, as its networks are trained for; got one of points',
    );
  return { kspace, mask, seed: [...seed, index] };
}

/** The network as it was trained. */
class VarnetImager implements Imager {
  readonly #model: Model;
  readonly #device: Device;
  #predictor: Predictor | undefined;

  constructor(model: Model, device: Device) {
    this.#model = model;
    this.#device = device;
  }

  async image({ kspace, mask: given }: MeasuredSlice, { signal, threads }: SliceOptions): Promise<NetworkImage> {
    const [coils, height, width] = kspace.shape;
    const mask = Float32Array.from(measuredColumns(kspace, given).data);
    const calibrationMask = calibrationColumns(mask);
    const { network, weights } = this.#model;
    const sizes = { coils, height, width };
    this.#predictor ??= await createPredictor({ network, weights, ...sizes, threads, device: this.#device, signal });
    const data = await this.#predictor.predict({ kspace: kspace.data, mask, calibrationMask }, { signal });
    return { image: { data, shape: kspace.shape } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#predictor?.close();
  }
}

class VarnetReconstructor implements SliceReconstructor {
  readonly #seed: readonly number[];
  readonly #imagers: ImagerPool;

  constructor(seed: readonly number[], device: ResolvedDevice, createImager: (device: Device) => Imager) {
    this.#seed = seed;
    this.#imagers = new ImagerPool(device, createImager);
  }

  async reconstruct(slice: SliceData, options: SliceOptions): Promise<SliceImage> {
    const measured = measuredSlice(slice, this.#seed);
    options.onStage?.('reconstructing', 0);
    const { image, adaptation, device, warnings } = await this.#imagers.image(measured, options);
    return { image, adaptation, device, warnings: [...warnings, ...adaptationWarnings(adaptation)] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#imagers[Symbol.asyncDispose]();
  }
}
