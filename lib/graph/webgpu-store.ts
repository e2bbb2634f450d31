// Named tensors on the WebGPU device, whose values go there when something first needs them.
import type { DeviceMemoryHandle } from '../bindings/device.js';
import { LarmorError } from '../errors.js';
import { copyDeviceTensors, DeviceTensor } from '../runtime/device-tensor.js';
import { expectLength, type FlatLayout } from '../runtime/flat-layout.js';
import type { TensorStore } from '../runtime/memory.js';
import type { BoundTensor } from '../runtime/tensor.js';
import { type DeviceTensors, PASSES, type PassDefinition } from './device-passes.js';

/** What a store asks of the memory that made it. */
export interface StoreOwner {
  /** Runs a pass on tensors of one layout; the numbers that it gives. */
  pass(
    layout: FlatLayout,
    definition: PassDefinition,
    inputs: Readonly<Record<string, DeviceTensors>>,
    outputs: Readonly<Record<string, DeviceTensors>>,
    scalars: Readonly<Record<string, number>>,
  ): Promise<Readonly<Record<string, number>>>;
  /** Leaves a freed store out of `flush`. */
  forget(store: WebgpuStore): void;
}

/** Tensors that sessions bind lie apart; those that only passes use lie flat, in one. */
export class WebgpuStore implements TensorStore {
  readonly layout: FlatLayout;
  readonly #owner: StoreOwner;
  readonly #device: DeviceMemoryHandle;
  #flat: DeviceTensor | undefined;
  #parts: Map<string, DeviceTensor> | undefined;
  /** Where results of passes go first: no graph may write where it reads. */
  #spare: DeviceTensors | undefined;
  /** Whether the parts have yet to take what lies flat. */
  #parting = false;
  /** Values for all tensors, then for some, that have not gone to the device. */
  #all: Float32Array | undefined;
  readonly #some = new Map<string, Float32Array>();

  constructor(owner: StoreOwner, device: DeviceMemoryHandle, layout: FlatLayout) {
    this.layout = layout;
    this.#owner = owner;
    this.#device = device;
    this.#all = new Float32Array(layout.length);
  }

  bound(name: string): BoundTensor {
    this.#parting ||= this.#parts === undefined && this.#flat !== undefined;
    this.#parts ??= this.#makeParts();
    return this.#parts.get(name) ?? fail(`no tensor is called ${name}`);
  }

  set(values: Float32Array, name?: string): void {
    expectLength(this.layout, values, name);
    if (name === undefined) {
      this.#all = values.slice();
      this.#some.clear();
    } else this.#some.set(name, values.slice());
  }

  async read(name?: string): Promise<Float32Array> {
    const tensors = await this.tensors();
    if (tensors instanceof DeviceTensor) {
      const values = await tensors.read();
      return name === undefined ? values : values.slice(...this.layout.range(name));
    }
    if (name !== undefined) return await (tensors.get(name) ?? fail(`no tensor is called ${name}`)).read();
    const [first] = this.layout.specs;
    if (this.layout.specs.length === 1 && this.layout.length === this.layout.range(first.name)[1])
      return await this.read(first.name);
    const whole = new DeviceTensor(this.#device, [this.layout.length]);
    await this.#owner.pass(this.layout, PASSES.gather, { x: tensors }, { y: whole }, {});
    const values = await whole.read();
    whole.close();
    return values;
  }

  free(): void {
    for (const tensors of [this.#flat, this.#parts, this.#spare]) {
      if (tensors instanceof DeviceTensor) tensors.close();
      else for (const part of tensors?.values() ?? []) part.close();
    }
    this.#owner.forget(this);
  }

  /** The tensors with all that was set. */
  async tensors(): Promise<DeviceTensors> {
    if (this.#parting && this.#flat && this.#parts) {
      if (!this.#all) await this.#owner.pass(this.layout, PASSES.gather, { x: this.#flat }, { y: this.#parts }, {});
      this.#flat.close();
      this.#flat = undefined;
      this.#parting = false;
    }
    if (!this.#parts) this.#flat ??= new DeviceTensor(this.#device, [this.layout.length]);
    await this.#upload();
    return this.#present();
  }

  /** Tensors like the present ones, for results. */
  spare(): DeviceTensors {
    this.#spare ??= this.#parts ? this.#makeParts() : new DeviceTensor(this.#device, [this.layout.length]);
    return this.#spare;
  }

  /** Takes what a pass wrote to the spare tensors, but stays where it is: sessions that repeat their work know no other place. */
  async take(): Promise<void> {
    const list = (tensors: DeviceTensors): DeviceTensor[] =>
      tensors instanceof DeviceTensor ? [tensors] : [...tensors.values()];
    await copyDeviceTensors(list(this.spare()), list(this.#present()));
  }

  #present(): DeviceTensors {
    return this.#parts ?? this.#flat ?? fail('a store without tensors');
  }

  async #upload(): Promise<void> {
    const all = this.#all;
    const some = new Map(this.#some);
    this.#all = undefined;
    this.#some.clear();
    if (this.#parts)
      for (const [name, part] of this.#parts) {
        const values = some.get(name) ?? all?.subarray(...this.layout.range(name));
        if (values) await part.write(values);
      }
    else if (all || some.size > 0) {
      const flat = this.#flat ?? fail('a store without tensors');
      const whole = all ?? (await flat.read());
      for (const [name, values] of some) whole.set(values, this.layout.range(name)[0]);
      await flat.write(whole);
    }
  }

  #makeParts(): Map<string, DeviceTensor> {
    return new Map(this.layout.specs.map(({ name, shape }) => [name, new DeviceTensor(this.#device, shape)]));
  }
}

/** For what cannot happen. */
export function fail(what: string): never {
  throw new LarmorError('ERR_INTERNAL', `WebgpuMemory: ${what}`);
}
