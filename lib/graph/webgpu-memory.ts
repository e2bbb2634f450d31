// The memory of the WebGPU device: stores stay there, passes are graphs, and only single numbers and what is read come back.
import { binding as addon } from '../binding.js';
import type { DeviceMemoryHandle } from '../bindings/device.js';
import { LarmorError } from '../errors.js';
import { runJob } from '../jobs.js';
import { DeviceTensor, swapDeviceTensors } from '../runtime/device-tensor.js';
import { expectLength, type FlatLayout } from '../runtime/flat-layout.js';
import type { AdamStores, AdamUpdate, LoadOptions, Memory, TensorStore } from '../runtime/memory.js';
import { loadSession, type Session } from '../runtime/session.js';
import { type BoundTensor, tensor } from '../runtime/tensor.js';
import { GraphBuilder } from './builder.js';
import { type DeviceTensors, PASSES, type PassDefinition, passGraph, portsOf } from './device-passes.js';
import { graphToOnnx } from './onnx.js';
import { multiply } from './operations.js';
import { toWebgpu } from './webgpu.js';

/** Tensors that sessions bind lie apart; those that only passes use lie flat, in one. */
class WebgpuStore implements TensorStore {
  readonly layout: FlatLayout;
  readonly #memory: WebgpuMemory;
  readonly #device: DeviceMemoryHandle;
  #flat: DeviceTensor | undefined;
  #parts: Map<string, DeviceTensor> | undefined;
  /** Where results of passes go, before both change places. */
  #spare: DeviceTensors | undefined;
  /** Whether the parts have yet to take what lies flat. */
  #parting = false;
  /** Values for all tensors, then for some, that have not gone to the device. */
  #all: Float32Array | undefined;
  readonly #some = new Map<string, Float32Array>();

  constructor(memory: WebgpuMemory, device: DeviceMemoryHandle, layout: FlatLayout) {
    this.layout = layout;
    this.#memory = memory;
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
    await this.#memory.pass(this.layout, PASSES.gather, { x: tensors }, { y: whole }, {});
    const values = await whole.read();
    whole.close();
    return values;
  }

  free(): void {
    for (const tensors of [this.#flat, this.#parts, this.#spare]) {
      if (tensors instanceof DeviceTensor) tensors.close();
      else for (const part of tensors?.values() ?? []) part.close();
    }
    this.#memory.forget(this);
  }

  /** The tensors with all that was set. */
  async tensors(): Promise<DeviceTensors> {
    if (this.#parting && this.#flat && this.#parts) {
      if (!this.#all) await this.#memory.pass(this.layout, PASSES.gather, { x: this.#flat }, { y: this.#parts }, {});
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

  /** Takes what a pass wrote to the spare tensors. */
  async exchange(): Promise<void> {
    const list = (tensors: DeviceTensors): DeviceTensor[] =>
      tensors instanceof DeviceTensor ? [tensors] : [...tensors.values()];
    await swapDeviceTensors(list(this.#present()), list(this.spare()));
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

function fail(what: string): never {
  throw new LarmorError('ERR_INTERNAL', `WebgpuMemory: ${what}`);
}

function ours(store: TensorStore): WebgpuStore {
  return store instanceof WebgpuStore ? store : fail('a store of another memory');
}

/**
 * The memory of the WebGPU device. Graphs for it go through `toWebgpu`.
 *
 * Memory: every store that passes write to lies there twice, as no graph may write where it reads.
 */
export class WebgpuMemory implements Memory {
  readonly device = 'webgpu';
  readonly #anchor: Session;
  readonly #handle: DeviceMemoryHandle;
  readonly #stores = new Set<WebgpuStore>();
  readonly #passes = new Map<string, Promise<Session>>();
  readonly #layouts = new Map<FlatLayout, number>();

  private constructor(anchor: Session, handle: DeviceMemoryHandle) {
    this.#anchor = anchor;
    this.#handle = handle;
  }

  /** @throws LarmorError `ERR_DEVICE` when there is no such device; `ERR_RUNTIME_MISSING`. */
  static async open(): Promise<WebgpuMemory> {
    const graph = new GraphBuilder();
    graph.output('y', multiply(graph.input('x', [1]), 2));
    const anchor = await loadSession(graphToOnnx(graph), 'webgpu', { threads: 1 });
    const handle = await runJob(1, {}, (control) => addon.openDeviceMemory(control, anchor.handle, 'WebGPU_Buf'));
    return new WebgpuMemory(anchor, handle);
  }

  load(model: Uint8Array, options: LoadOptions): Promise<Session> {
    return loadSession(model, 'webgpu', options);
  }

  store(layout: FlatLayout): TensorStore {
    const store = new WebgpuStore(this, this.#handle, layout);
    this.#stores.add(store);
    return store;
  }

  constants(layout: FlatLayout, values: Float32Array): TensorStore {
    const store = this.store(layout);
    store.set(values);
    return store;
  }

  async flush(): Promise<void> {
    for (const store of this.#stores) await store.tensors();
  }

  async copy(to: TensorStore, from: TensorStore): Promise<void> {
    await this.#update(PASSES.gather, { y: to }, { x: from }, {});
  }

  async adam(stores: AdamStores, _trained: readonly string[], update: AdamUpdate): Promise<void> {
    const { weights, gradients, firstMoments, secondMoments } = stores;
    const { step, learningRate, beta1, beta2, epsilon } = update;
    const scalars = {
      fresh1: 1 - beta1,
      keep2: beta2,
      fresh2: 1 - beta2,
      rate: learningRate / (1 - beta1 ** step),
      deviation: Math.sqrt(1 - beta2 ** step),
      epsilon,
    };
    const written = { weights, firstMoments, secondMoments };
    await this.#update(PASSES.adam, written, { ...written, gradients }, scalars, ({ size }) => {
      if (!Number.isFinite(size))
        throw new LarmorError('ERR_DIVERGED', `gradients hold NaN or infinity at step ${step}`);
    });
  }

  async norm(x: TensorStore): Promise<number> {
    const { sum } = await this.#update(PASSES.squares, {}, { x }, {});
    return Math.sqrt(sum);
  }

  async blend(keep: number, y: TensorStore, add: number, x: TensorStore): Promise<void> {
    if (keep === 0) await this.#update(PASSES.scale, { y }, { x }, { add });
    else if (x === y) await this.#update(PASSES.scale, { y }, { x }, { add: keep + add });
    else await this.#update(PASSES.blend, { y }, { y, x }, { keep, add });
  }

  async approach(rate: number, y: TensorStore, x: TensorStore): Promise<void> {
    await this.#update(PASSES.approach, { y }, { y, x }, { rate });
  }

  async close(): Promise<void> {
    for (const store of [...this.#stores]) store.free();
    for (const session of this.#passes.values()) (await session).close();
    this.#anchor.close();
  }

  /** For stores: leaves out of `flush` what is freed. */
  forget(store: TensorStore): void {
    this.#stores.delete(store as WebgpuStore);
  }

  /** Runs a pass on tensors of one layout; the numbers that it gives. */
  async pass(
    layout: FlatLayout,
    definition: PassDefinition,
    inputs: Readonly<Record<string, DeviceTensors>>,
    outputs: Readonly<Record<string, DeviceTensors>>,
    scalars: Readonly<Record<string, number>>,
  ): Promise<Readonly<Record<string, number>>> {
    const session = await this.#loaded(layout, definition, inputs, outputs);
    const ports = (side: 'in' | 'out', operands: Readonly<Record<string, DeviceTensors>>): object[] =>
      Object.entries(operands).map(([operand, tensors]) => portsOf(side, operand, tensors));
    const numbers = Object.entries(scalars).map(([name, x]) => [name, tensor('float32', [1], Float32Array.of(x))]);
    const results = definition.results.map((name) => [name, tensor('float32', [1])] as const);
    const binding = session.bind(
      Object.assign({}, ...ports('in', inputs), Object.fromEntries(numbers)),
      Object.assign({}, ...ports('out', outputs), Object.fromEntries(results)),
    );
    await binding.run();
    return Object.fromEntries(results.map(([name, { data }]) => [name, data[0]]));
  }

  /** Runs a pass on stores and takes its results, unless `check` throws. */
  async #update(
    definition: PassDefinition,
    written: Readonly<Record<string, TensorStore>>,
    read: Readonly<Record<string, TensorStore>>,
    scalars: Readonly<Record<string, number>>,
    check?: (results: Readonly<Record<string, number>>) => void,
  ): Promise<Readonly<Record<string, number>>> {
    const inputs: Record<string, DeviceTensors> = {};
    const outputs: Record<string, DeviceTensors> = {};
    for (const [operand, store] of Object.entries(read)) inputs[operand] = await ours(store).tensors();
    for (const [operand, store] of Object.entries(written)) {
      await ours(store).tensors();
      outputs[operand] = ours(store).spare();
    }
    const [{ layout }] = Object.values(read);
    const results = await this.pass(layout, definition, inputs, outputs, scalars);
    check?.(results);
    for (const store of Object.values(written)) await ours(store).exchange();
    return results;
  }

  #loaded(
    layout: FlatLayout,
    definition: PassDefinition,
    inputs: Readonly<Record<string, DeviceTensors>>,
    outputs: Readonly<Record<string, DeviceTensors>>,
  ): Promise<Session> {
    const forms = [...Object.values(inputs), ...Object.values(outputs)].map(
      (tensors) => tensors instanceof DeviceTensor,
    );
    const number = this.#layouts.get(layout) ?? this.#layouts.size;
    this.#layouts.set(layout, number);
    const key = `${definition.name} ${number} ${forms}`;
    const graph = (): Uint8Array => graphToOnnx(toWebgpu(passGraph(layout, definition, { inputs, outputs })));
    const session = this.#passes.get(key) ?? this.load(graph(), { threads: 1 });
    this.#passes.set(key, session);
    return session;
  }
}
