// Runs an unrolled network on the slices of a scan, as fastMRI runs its VarNet.
import { type ComplexArray, points } from '../../arrays/complex-array.js';
import { LarmorError } from '../../errors.js';
import { calibrationColumns } from '../../networks/calibration-columns.js';
import type { Model } from '../../networks/model.js';
import type { Network } from '../../networks/network.js';
import { createPredictor, type Predictor } from '../../networks/predictor.js';
import type { Device } from '../../runtime/devices.js';
import type { SamplingMask } from '../../sampling/mask.js';
import type { MethodSetup, SliceData, SliceImage, SliceOptions, SliceReconstructor } from '../method.js';

export function startVarnet({ model, device }: MethodSetup): SliceReconstructor {
  if (!model) throw new LarmorError('ERR_INTERNAL', 'reconstruct: method varnet was started without its model');
  return new VarnetReconstructor(model.network, model.weights, device.name);
}

class VarnetReconstructor implements SliceReconstructor {
  readonly #network: Network;
  readonly #weights: Model['weights'];
  readonly #device: Device;
  /** One predictor per slice at work; those not at work wait here. */
  readonly #idle: Predictor[] = [];

  constructor(network: Network, weights: Model['weights'], device: Device) {
    this.#network = network;
    this.#weights = weights;
    this.#device = device;
  }

  async reconstruct({ kspace, mask }: SliceData, { signal, threads, onStage }: SliceOptions): Promise<SliceImage> {
    const [coils, height, width] = kspace.shape;
    if (mask.shape.length !== 1)
      throw new LarmorError(
        'ERR_MASK',
        'reconstruct: method varnet needs a mask of whole columns, as its networks are trained for; got one of points',
      );
    const lines = measuredColumns(kspace, mask);
    const calibrationMask = calibrationColumns(lines);
    onStage?.('reconstructing', 0);
    const options = { network: this.#network, weights: this.#weights, device: this.#device };
    const predictor =
      this.#idle.pop() ?? (await createPredictor({ ...options, coils, height, width, threads, signal }));
    try {
      const data = await predictor.predict({ kspace: kspace.data, mask: lines, calibrationMask }, { signal });
      return { image: { data, shape: kspace.shape } };
    } finally {
      this.#idle.push(predictor);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const predictor of this.#idle.splice(0)) predictor.close();
  }
}

/**
 * The mask less the columns that are zero in all coils: beside the acquired part of k-space nothing was measured, and fastMRI's networks
 * are trained to fill it.
 */
function measuredColumns({ data, shape }: ComplexArray, mask: SamplingMask): Float32Array {
  const width = shape[shape.length - 1];
  const samples = points(shape);
  const holdsSignal = (x: number): boolean => {
    for (let i = x; i < samples; i += width) if (data[2 * i] !== 0 || data[2 * i + 1] !== 0) return true;
    return false;
  };
  return Float32Array.from(mask.data, (sampled, x) => (sampled === 1 && holdsSignal(x) ? 1 : 0));
}
