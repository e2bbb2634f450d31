// The memory of a CUDA device as training sees it: one array per store on the device, passes on its stream, graphs on the same stream.
import { binding } from '../binding.js';
import type { CudaContextHandle, DeviceMemoryHandle } from '../bindings/cuda.js';
import { CudaContext } from '../cuda/context.js';
import type { DeviceArray } from '../cuda/device-array.js';
import { LarmorError } from '../errors.js';
import { type CudaOptions, cudaProvider, cudaProviderOptions } from './cuda-provider.js';
import { CudaTensor } from './cuda-tensor.js';
import type { Device } from './devices.js';
import { ALIGNMENT, expectLength, type FlatLayout } from './flat-layout.js';
import type { AdamStores, AdamUpdate, LoadOptions, Memory, TensorStore } from './memory.js';
import { loadSession, type Session } from './session.js';
import type { BoundTensor } from './tensor.js';

/** Tensors in one array of the device, which `flush` makes and fills. */
class CudaStore implements TensorStore {
  readonly layout: FlatLayout;
  readonly #memory: CudaMemory;
  #array: DeviceArray | undefined;
  /** Values that have not gone to the device, by the float where they begin. */
  readonly #staged = new Map<number, Float32Array>();

  constructor(memory: CudaMemory, layout: FlatLayout) {
    this.layout = layout;
    this.#memory = memory;
  }

  bound(name: string): BoundTensor {
    const [begin] = this.layout.range(name);
    return new CudaTensor(this.layout.shape(name), this, begin, () => this.array.memory('Session'));
  }

  set(values: Float32Array, name?: string): void {
    expectLength(this.layout, values, name);
    if (name === undefined) this.#staged.clear();
    this.#staged.set(name === undefined ? 0 : this.layout.range(name)[0], values.slice());
    this.#memory.mark(this);
  }

  async read(name?: string): Promise<Float32Array> {
    await this.#memory.flush();
    const [begin, end] = name === undefined ? [0, this.layout.length] : this.layout.range(name);
    const values = new Float32Array(end - begin);
    await this.#memory.context.read(this.array, begin, values);
    return values;
  }

  free(): void {
    this.#memory.forget(this);
    this.#array?.free();
    this.#array = undefined;
  }

  get array(): DeviceArray {
    if (this.#array) return this.#array;
    throw new LarmorError('ERR_CLOSED', 'CudaMemory: a store was used after it was freed');
  }

  /** Makes the array where there is none, and brings what was set to it. For `CudaMemory.flush`. */
  async flush(): Promise<void> {
    const { context } = this.#memory;
    if (!this.#array) {
      this.#array = await context.allocate([this.layout.length], 'real');
      const memory = this.#array.memory('CudaMemory');
      await context.run({}, (control, handle) => binding.cudaZero(control, handle, memory));
    }
    for (const [begin, values] of this.#staged) await context.write(this.#array, begin, values);
    this.#staged.clear();
  }
}

/** The memory of a CUDA device, with a stream of its own. */
export class CudaMemory implements Memory {
  readonly device: Device;
  readonly context: CudaContext;
  readonly #index: number;
  readonly #options: CudaOptions;
  /** Stores that have yet to be made or filled. */
  readonly #unsettled = new Set<CudaStore>();
  readonly #sessions: Session[] = [];
  /** One number, for norms. */
  readonly #scratch: DeviceArray;

  private constructor(index: number, context: CudaContext, scratch: DeviceArray, options: CudaOptions) {
    this.device = `cuda:${index}`;
    this.context = context;
    this.#index = index;
    this.#scratch = scratch;
    this.#options = options;
  }

  /** @throws LarmorError `ERR_DEVICE` where the device or its plugin does not work; `ERR_OUT_OF_MEMORY`; `ERR_ARGUMENT` for options. */
  static async open(index: number, options: CudaOptions = {}): Promise<CudaMemory> {
    cudaProviderOptions(index, options);
    const context = await CudaContext.open(index);
    try {
      return new CudaMemory(index, context, await context.allocate([1], 'real'), options);
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  async load(model: Uint8Array, options: LoadOptions): Promise<Session> {
    const provider = cudaProvider(this.context, this.#index, this.#options);
    const session = await loadSession(model, this.device, options, provider);
    this.#sessions.push(session);
    return session;
  }

  store(layout: FlatLayout): TensorStore {
    const store = new CudaStore(this, layout);
    this.#unsettled.add(store);
    return store;
  }

  constants(layout: FlatLayout, values: Float32Array): TensorStore {
    const store = this.store(layout);
    store.set(values);
    return store;
  }

  async flush(): Promise<void> {
    for (const store of this.#unsettled) {
      await store.flush();
      this.#unsettled.delete(store);
    }
  }

  /** Notes that a store holds values for the device. For stores. */
  mark(store: CudaStore): void {
    this.#unsettled.add(store);
  }

  /** For stores that are freed. */
  forget(store: CudaStore): void {
    this.#unsettled.delete(store);
  }

  copy(to: TensorStore, from: TensorStore): Promise<void> {
    return this.#pass([to, from], (control, context, [y, x]) => binding.cudaCopy(control, context, y, x));
  }

  adam(stores: AdamStores, trained: readonly string[], update: AdamUpdate): Promise<void> {
    const { weights, gradients, firstMoments, secondMoments } = stores;
    const { step, learningRate, beta1, beta2, epsilon } = update;
    const ranges = Uint32Array.from(joined(trained.map((name) => weights.layout.range(name))).flat());
    const scratch = this.#scratch.memory('CudaMemory');
    return this.#pass([weights, gradients, firstMoments, secondMoments], (control, context, [w, g, m, v]) =>
      binding.cudaAdam(control, context, w, g, m, v, scratch, ranges, step, learningRate, beta1, beta2, epsilon),
    );
  }

  norm(store: TensorStore): Promise<number> {
    const scratch = this.#scratch.memory('CudaMemory');
    return this.#pass([store], (control, context, [x]) => binding.cudaNorm(control, context, x, scratch));
  }

  async blend(keep: number, y: TensorStore, add: number, x: TensorStore): Promise<void> {
    await this.#pass([y, x], (control, context, [to, from]) =>
      binding.cudaBlend(control, context, keep, to, add, from),
    );
  }

  approach(rate: number, y: TensorStore, x: TensorStore): Promise<void> {
    return this.#pass([y, x], (control, context, [to, from]) => binding.cudaApproach(control, context, rate, to, from));
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()));
    this.#scratch.free();
    await this.context.close();
  }

  async #pass<T>(
    stores: readonly TensorStore[],
    start: (control: Int32Array, context: CudaContextHandle, memory: DeviceMemoryHandle[]) => Promise<T>,
  ): Promise<T> {
    await this.flush();
    const memory = stores.map((store) => {
      if (store instanceof CudaStore) return store.array.memory('CudaMemory');
      throw new LarmorError('ERR_INTERNAL', 'CudaMemory: a store of another memory');
    });
    return await this.context.run({}, (control, context) => start(control, context, memory));
  }
}

/** Every pass over a range is a launch: ranges with no more than padding between become one, as padding is zero and stays so. */
function joined(ranges: readonly (readonly [begin: number, end: number])[]): [begin: number, end: number][] {
  const result: [begin: number, end: number][] = [];
  for (const [begin, end] of ranges) {
    const last = result.at(-1);
    if (last && begin - last[1] < ALIGNMENT) last[1] = end;
    else result.push([begin, end]);
  }
  return result;
}
