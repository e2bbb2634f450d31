// Memory of a device: named tensors that stay there, the passes over all of them that training makes, and graphs that compute in it.
// Training and adaptation are written against this interface alone.
import type { Device } from './devices.js';
import type { FlatLayout } from './flat-layout.js';
import type { Session, SessionOptions } from './session.js';
import type { BoundTensor } from './tensor.js';

/** Named float32 tensors in the memory of a device; zeros at first. */
export interface TensorStore {
  readonly layout: FlatLayout;
  /** The tensor for `Session.bind` of a session of the same memory. It never moves, so that bindings stay valid. */
  bound(name: string): BoundTensor;
  /**
   * Copies values in: of one tensor, or of all as the layout has them. They count from the next pass, `read` or `Memory.flush` on, so that
   * the caller may reuse its array at once. Not while a run or a pass that uses the store is under way.
   */
  set(values: Float32Array, name?: string): void;
  /** A copy of one tensor, or of all as the layout has them. */
  read(name?: string): Promise<Float32Array>;
  /** Frees the memory. Not while it is in use; twice does nothing. */
  free(): void;
}

/** What Adam updates: stores of one layout. */
export interface AdamStores {
  readonly weights: TensorStore;
  readonly gradients: TensorStore;
  readonly firstMoments: TensorStore;
  readonly secondMoments: TensorStore;
}

/** One update of Adam. */
export interface AdamUpdate {
  /** 1 for the first. */
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Options of a graph that computes in a memory. */
export interface LoadOptions extends Omit<SessionOptions, 'device' | 'cuda'> {
  /**
   * Every run takes the same tensors, all of this memory, so that a device may record its work once and repeat it; an abort then waits
   * for the end of the run, and an error closes the session. Default: false.
   */
  readonly replay?: boolean | undefined;
}

/**
 * Memory of one device, and work queued there in order: await each call before the next. Close it when done; stores and sessions of it
 * must not be used after.
 */
export interface Memory {
  readonly device: Device;
  /** Loads a graph whose runs take tensors of this memory, and of the host. Throws as `createSession`. */
  load(model: Uint8Array, options: LoadOptions): Promise<Session>;
  /** @throws LarmorError `ERR_OUT_OF_MEMORY`. */
  store(layout: FlatLayout): TensorStore;
  /** Tensors that are only read, of which a memory that lies in the host's makes no copy: `values` must stay as they are. */
  constants(layout: FlatLayout, values: Float32Array): Pick<TensorStore, 'bound' | 'free'>;
  /** Brings what was `set` to the device; before every run of a session. */
  flush(): Promise<void>;
  /** to = from. */
  copy(to: TensorStore, from: TensorStore): Promise<void>;
  /**
   * One update of the tensors `trained`, rounded as PyTorch's; the others stay.
   *
   * @throws LarmorError `ERR_DIVERGED`, with nothing changed, when a gradient is not finite.
   */
  adam(stores: AdamStores, trained: readonly string[], update: AdamUpdate): Promise<void>;
  /** ||x||_2 over all tensors; not finite where a number is not. */
  norm(x: TensorStore): Promise<number>;
  /** y = keep y + add x; with keep = 0 it does not matter what y holds. x may be y. */
  blend(keep: number, y: TensorStore, add: number, x: TensorStore): Promise<void>;
  /** y += rate (x - y): what is equal in both, as frozen parameters are, stays so to the bit. */
  approach(rate: number, y: TensorStore, x: TensorStore): Promise<void>;
  close(): Promise<void>;
}
