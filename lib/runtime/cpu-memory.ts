// The memory of this process as training sees it: stores are plain arrays, passes are jobs of the addon.
import { allocateFloat32 } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { runJob } from '../jobs.js';
import { expectLength, type FlatLayout } from './flat-layout.js';
import type { AdamStores, AdamUpdate, LoadOptions, Memory, TensorStore } from './memory.js';
import { createSession, type Session } from './session.js';
import { type BoundTensor, tensor } from './tensor.js';

/** Tensors in one array that JavaScript sees. */
class CpuStore implements TensorStore {
  readonly layout: FlatLayout;
  readonly data: Float32Array;

  constructor(layout: FlatLayout, data: Float32Array = allocateFloat32(layout.length)) {
    this.layout = layout;
    this.data = data;
  }

  bound(name: string): BoundTensor {
    return tensor('float32', this.layout.shape(name), this.#view(name));
  }

  set(values: Float32Array, name?: string): void {
    const own = this.#view(name);
    expectLength(this.layout, values, name);
    own.set(values);
  }

  async read(name?: string): Promise<Float32Array> {
    return this.#view(name).slice();
  }

  free(): void {}

  #view(name?: string): Float32Array {
    return name === undefined ? this.data : this.data.subarray(...this.layout.range(name));
  }
}

const data = (store: TensorStore): Float32Array => {
  if (store instanceof CpuStore) return store.data;
  throw new LarmorError('ERR_INTERNAL', 'CpuMemory: a store of another memory');
};

/** The memory of this process. */
export class CpuMemory implements Memory {
  readonly device = 'cpu';
  readonly #threads: number;

  /** @param threads Of every pass. Default: the processors this process may run on. */
  constructor(threads = binding.platform().threads) {
    this.#threads = threads;
  }

  load(model: Uint8Array, options: LoadOptions): Promise<Session> {
    return createSession(model, { ...options, device: 'cpu' });
  }

  store(layout: FlatLayout): TensorStore {
    return new CpuStore(layout);
  }

  constants(layout: FlatLayout, values: Float32Array): TensorStore {
    expectLength(layout, values);
    return new CpuStore(layout, values);
  }

  async flush(): Promise<void> {}

  async copy(to: TensorStore, from: TensorStore): Promise<void> {
    data(to).set(data(from));
  }

  adam(stores: AdamStores, trained: readonly string[], update: AdamUpdate): Promise<void> {
    const { weights, gradients, firstMoments, secondMoments } = stores;
    const { step, learningRate, beta1, beta2, epsilon } = update;
    const ranges = Uint32Array.from(trained.flatMap((name) => [...weights.layout.range(name)]));
    const arrays = [data(weights), data(gradients), data(firstMoments), data(secondMoments)] as const;
    return runJob(1, {}, (control) =>
      binding.adamStep(control, ...arrays, ranges, step, learningRate, beta1, beta2, epsilon, this.#threads),
    );
  }

  norm(x: TensorStore): Promise<number> {
    return runJob(1, {}, (control) => binding.parameterNorm(control, data(x), this.#threads));
  }

  blend(keep: number, y: TensorStore, add: number, x: TensorStore): Promise<void> {
    return runJob(1, {}, (control) => binding.blendParameters(control, keep, data(y), add, data(x), this.#threads));
  }

  approach(rate: number, y: TensorStore, x: TensorStore): Promise<void> {
    return runJob(1, {}, (control) => binding.approachParameters(control, rate, data(y), data(x), this.#threads));
  }

  async close(): Promise<void> {}
}
