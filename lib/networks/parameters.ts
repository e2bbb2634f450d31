// A network's parameters in one contiguous block of memory, so that an optimiser step is one pass over it.
import { allocateFloat32, formatShape, type RealArray, sameShape } from '../arrays/complex-array.js';
import { firstNonFinite } from '../arrays/finite.js';
import { MT19937 } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';
import { expectLength, FlatLayout } from '../runtime/flat-layout.js';
import type { ParameterSpec } from './network.js';

/**
 * Numbers by parameter name: weights, or gradients and moments of the same layout. `data` holds all of them, each on a 64-byte
 * boundary with zeros in between.
 */
export class ParameterStore {
  readonly specs: readonly ParameterSpec[];
  readonly layout: FlatLayout;
  readonly data: Float32Array<ArrayBuffer>;
  readonly #views = new Map<string, Float32Array<ArrayBuffer>>();

  /** Zeros for every parameter of `specs`. */
  constructor(specs: readonly ParameterSpec[]) {
    this.specs = specs;
    this.layout = new FlatLayout(specs);
    this.data = allocateFloat32(this.layout.length);
    for (const { name } of specs) this.#views.set(name, this.data.subarray(...this.layout.range(name)));
  }

  /** Weights drawn from each parameter's initial distribution; uniform ones are those that PyTorch draws after `torch.manual_seed(seed)`. */
  static initialise(specs: readonly ParameterSpec[], seed: number): ParameterStore {
    const store = new ParameterStore(specs);
    const random = new MT19937(seed);
    for (const { name, initial } of specs) {
      const view = store.get(name);
      if ('value' in initial) view.fill(initial.value);
      else if ('deviation' in initial) drawNormal(view, initial.deviation, random);
      else drawUniform(view, initial.bound, random);
    }
    return store;
  }

  /**
   * Weights copied from named tensors.
   *
   * @throws LarmorError `ERR_MODEL` naming a tensor that is missing, left over, of another shape, or not finite.
   */
  static from(specs: readonly ParameterSpec[], tensors: ReadonlyMap<string, RealArray>): ParameterStore {
    const store = new ParameterStore(specs);
    const names = new Set(specs.map(({ name }) => name));
    const foreign = [...tensors.keys()].find((name) => !names.has(name));
    if (foreign !== undefined) throw new LarmorError('ERR_MODEL', `model: the network has no parameter "${foreign}"`);
    for (const { name, shape } of specs) {
      const tensor = tensors.get(name);
      if (!tensor) throw new LarmorError('ERR_MODEL', `model: parameter "${name}" is missing`);
      if (!sameShape(tensor.shape, shape))
        throw new LarmorError(
          'ERR_MODEL',
          `model: parameter "${name}" must have shape ${formatShape(shape)}, got ${formatShape(tensor.shape)}`,
        );
      if (firstNonFinite(tensor.data) >= 0)
        throw new LarmorError('ERR_MODEL', `model: parameter "${name}" holds NaN or infinity`);
      store.get(name).set(tensor.data);
    }
    return store;
  }

  /** The numbers of one parameter: a view, so that writing to it changes the store. Throws `ERR_MODEL` for an unknown name. */
  get(name: string): Float32Array<ArrayBuffer> {
    return this.#views.get(name) ?? this.data.subarray(...this.layout.range(name));
  }

  /** Numbers as `layout` has them, copied. @throws LarmorError `ERR_SHAPE` for another count. */
  static fromFlat(specs: readonly ParameterSpec[], values: Float32Array): ParameterStore {
    const store = new ParameterStore(specs);
    expectLength(store.layout, values);
    store.data.set(values);
    return store;
  }

  /** An independent store with the same numbers. */
  clone(): ParameterStore {
    return ParameterStore.fromFlat(this.specs, this.data);
  }
}

/** Uniform in [-bound, bound) from 24 random bits and in single precision, as PyTorch draws. */
function drawUniform(view: Float32Array, bound: number, random: MT19937): void {
  const low = Math.fround(-bound);
  const width = Math.fround(Math.fround(bound) - low);
  for (let i = 0; i < view.length; i++) view[i] = Math.fround(((random.uint32() & 0xffffff) / 2 ** 24) * width) + low;
}

function drawNormal(view: Float32Array, deviation: number, random: MT19937): void {
  for (let i = 0; i < view.length; i++) view[i] = deviation * random.normal();
}
