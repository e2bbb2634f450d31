// The memory of the WebGPU device: stores stay there, passes are graphs, and only single numbers and what is read come back.
import { binding as addon } from '../binding.js';
import type { DeviceMemoryHandle } from '../bindings/device.js';
import { LarmorError } from '../errors.js';
import { runJob } from '../jobs.js';
import { DeviceTensor } from '../runtime/device-tensor.js';
import type { FlatLayout } from '../runtime/flat-layout.js';
import type { AdamStores, AdamUpdate, LoadOptions, Memory, TensorStore } from '../runtime/memory.js';
import { replayingWebgpu } from '../runtime/provider.js';
import { loadSession, type Session } from '../runtime/session.js';
import { tensor } from '../runtime/tensor.js';
import { GraphBuilder } from './builder.js';
import { type DeviceTensors, PASSES, type PassDefinition, passGraph, portsOf, SCALARS } from './device-passes.js';
import { graphToOnnx } from './onnx.js';
import { multiply } from './operations.js';
import { toWebgpu } from './webgpu.js';
import { fail, type StoreOwner, WebgpuStore } from './webgpu-store.js';

function ours(store: TensorStore): WebgpuStore {
  return store instanceof WebgpuStore ? store : fail('a store of another memory');
}

/**
 * The memory of the WebGPU device. Graphs for it go through `toWebgpu`.
 *
 * Memory: every store that passes write to lies there twice, as no graph may write where it reads.
 */
export class WebgpuMemory implements Memory, StoreOwner {
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
    return loadSession(model, 'webgpu', options, options.replay ? replayingWebgpu() : undefined);
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
    // A pass that did not load has told its caller.
    for (const pass of await Promise.allSettled(this.#passes.values()))
      if (pass.status === 'fulfilled') await pass.value.close();
    await this.#anchor.close();
  }

  forget(store: WebgpuStore): void {
    this.#stores.delete(store);
  }

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
    const numbers = Float32Array.from(definition.scalars, (name) => scalars[name]);
    const uploaded = numbers.length > 0 ? { [SCALARS]: tensor('float32', [numbers.length], numbers) } : {};
    const results = definition.results.map((name) => [name, tensor('float32', [1])] as const);
    const binding = session.bind(
      Object.assign(uploaded, ...ports('in', inputs)),
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
    for (const store of Object.values(written)) await ours(store).take();
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
