// Networks from a measurement and its coil maps to one image: run, adapted to the slice if asked for, then made consistent with the samples.
import type { MeasuredSlice } from '../../adaptation/viewpoint.js';
import { type ComplexArray, complexZeros } from '../../arrays/complex-array.js';
import { mapSupport } from '../../arrays/map-support.js';
import { seedFromName } from '../../arrays/mt19937.js';
import { LarmorError } from '../../errors.js';
import { checkInputKind } from '../../networks/network-input.js';
import type { Device } from '../../runtime/devices.js';
import type { MethodSetup, SliceData, SliceImage, SliceOptions, SliceReconstructor } from '../method.js';
import { dataConsistencyOn } from '../sense-on-device.js';
import { firstSet, withOthers } from './first-set.js';
import { ImagerPool } from './imager-pool.js';
import { adaptationWarnings, adaptingImagers, type Imager, PlainImager } from './imagers.js';

class NetworkReconstructor implements SliceReconstructor {
  readonly #name: string;
  readonly #seed: number | undefined;
  readonly #final: FinalStep;
  readonly #devices: MethodSetup['devices'];
  readonly #imagers: ImagerPool<NetworkSlice>;

  constructor(
    { name, adapt, device, devices }: MethodSetup,
    final: FinalStep,
    createImager: (device: Device) => Imager<NetworkSlice>,
  ) {
    this.#name = name;
    this.#seed = adapt?.seed;
    this.#final = final;
    this.#devices = devices;
    this.#imagers = new ImagerPool(device, createImager);
  }

  async reconstruct(slice: SliceData, options: SliceOptions): Promise<SliceImage> {
    const measured = await networkSlice(slice, this.#name, this.#seed, options);
    if (measured.maps.data.every((value) => value === 0)) {
      const blank = complexZeros(measured.maps.shape.slice(1));
      const network = this.#final === 'none' ? undefined : blank;
      return { image: blank, network, warnings: ['no coil sees an object in this slice; the image is zero'] };
    }
    options.onStage?.('reconstructing', 0);
    const { image: output, adaptation, device, warnings: placing } = await this.#imagers.image(measured, options);
    const { maps, mask, others, whole } = measured;
    await clearOutside(output, maps);
    const { signal, threads } = options;
    const network = withOthers(output, others);
    const warnings = [...placing, ...adaptationWarnings(adaptation)];
    if (this.#final === 'none') return { image: network, adaptation, device, warnings };
    const problem = { kspace: whole.kspace, maps: others ? whole.maps : maps, mask };
    const consistent = await dataConsistencyOn(this.#devices, network, problem, { signal, threads });
    return { image: consistent.result.x, network, adaptation, device, warnings: [...warnings, ...consistent.warnings] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#imagers[Symbol.asyncDispose]();
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
  if (!adapt) return new NetworkReconstructor(setup, final, (device) => new PlainImager(model, device));
  const { signal } = options;
  const read = async (i: number): Promise<MeasuredSlice> =>
    networkSlice(await readSlice(slices[i], { signal, threads }), name, adapt.seed, { signal, threads });
  return new NetworkReconstructor(setup, final, await adaptingImagers(model, adapt, setup, read, options));
}

/** A slice as the network sees it, and what the final data consistency needs beside. */
interface NetworkSlice extends MeasuredSlice {
  readonly maps: ComplexArray;
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
