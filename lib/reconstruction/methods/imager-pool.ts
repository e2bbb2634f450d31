// The networks of a reconstruction at work: one on each device that was chosen, or on the CPU one for each slice under way.
import type { MeasuredSlice } from '../../adaptation/viewpoint.js';
import type { LarmorError } from '../../errors.js';
import type { Device, ResolvedDevice } from '../../runtime/devices.js';
import { computedOnCpu, isOfDevice } from '../fall-back.js';
import type { SliceOptions } from '../method.js';
import type { Imager, NetworkImage } from './imagers.js';

/** An image, where it was computed and what to warn of. */
export interface PlacedImage extends NetworkImage {
  /** Such as `cuda:1`. */
  readonly device: Device;
  readonly warnings: readonly string[];
}

interface Worker<Slice> {
  readonly device: Device;
  /** Made when first needed. */
  imager: Imager<Slice> | undefined;
}

/**
 * Runs a network on slices: on several devices at once, a slice at a time on each. Where the choice of device was left to larmor, one that
 * fails or has too little memory is given up, and the CPU takes its slice, and those that come when no device is left.
 */
export class ImagerPool<Slice = MeasuredSlice> implements AsyncDisposable {
  readonly #create: (device: Device) => Imager<Slice>;
  readonly #automatic: boolean;
  /** Devices not at work, the last used at the end: the next slice may build on what it learned. */
  readonly #idle: Worker<Slice>[];
  readonly #idleOnCpu: Worker<Slice>[] = [];
  readonly #waiting: ((worker: Worker<Slice>) => void)[] = [];
  /** Devices not given up. */
  #devices: number;
  /** Of the device given up last. */
  #failure: LarmorError | undefined;

  constructor({ kind, indices, automatic }: ResolvedDevice, create: (device: Device) => Imager<Slice>) {
    const names: Device[] = kind === 'cuda' ? indices.map((index) => `cuda:${index}` as const) : [kind];
    const devices = kind === 'cpu' ? [] : names.reverse();
    this.#idle = devices.map((device) => ({ device, imager: undefined }));
    this.#devices = devices.length;
    this.#automatic = automatic;
    this.#create = create;
  }

  /** @throws What the network throws; of `ERR_DEVICE` and `ERR_OUT_OF_MEMORY` of a device only where it was asked for by name. */
  async image(slice: Slice, options: SliceOptions): Promise<PlacedImage> {
    return await this.#imageOn(await this.#take(), slice, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const workers = [...this.#idle.splice(0), ...this.#idleOnCpu.splice(0)];
    await Promise.all(workers.map(({ imager }) => imager?.[Symbol.asyncDispose]()));
  }

  async #imageOn(worker: Worker<Slice>, slice: Slice, options: SliceOptions): Promise<PlacedImage> {
    const { device } = worker;
    try {
      worker.imager ??= this.#create(device);
      const image = await worker.imager.image(slice, options);
      this.#release(worker);
      return { ...image, device, warnings: device === 'cpu' && this.#failure ? [computedOnCpu(this.#failure)] : [] };
    } catch (error) {
      if (device === 'cpu' || !this.#automatic || !isOfDevice(error)) {
        this.#release(worker);
        throw error;
      }
      await this.#giveUp(worker, error);
      return await this.#imageOn(this.#onCpu(), slice, options);
    }
  }

  async #take(): Promise<Worker<Slice>> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#devices === 0) return this.#onCpu();
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  #onCpu(): Worker<Slice> {
    return this.#idleOnCpu.pop() ?? { device: 'cpu', imager: undefined };
  }

  #release(worker: Worker<Slice>): void {
    if (worker.device === 'cpu') this.#idleOnCpu.push(worker);
    else {
      const next = this.#waiting.shift();
      if (next) next(worker);
      else this.#idle.push(worker);
    }
  }

  /** Frees what the network holds on its device. */
  async #giveUp({ imager }: Worker<Slice>, failure: LarmorError): Promise<void> {
    this.#failure = failure;
    this.#devices -= 1;
    if (this.#devices === 0) for (const resolve of this.#waiting.splice(0)) resolve(this.#onCpu());
    await imager?.[Symbol.asyncDispose]();
  }
}
