// An array in the memory of a CUDA device, copied only when asked and freed when told.
import {
  type ComplexArray,
  complexUninitialised,
  formatShape,
  type RealArray,
  realZeros,
  type Shape,
} from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import type { DeviceMemoryHandle } from '../bindings/cuda.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import type { CudaContext } from './context.js';

/** What an element of a device array is: interleaved re, im, or one float. */
export type ElementKind = 'complex' | 'real';

/** Frees the memory of arrays that nobody freed; that may be late, as the garbage collector does not see device memory. */
const forgotten = new FinalizationRegistry<DeviceMemoryHandle>((memory) => binding.freeCuda(memory));

/**
 * An array on a device, float32, C order; complex ones interleave re and im. `CudaContext.upload` and operators on the device make them.
 *
 * @example using image = await cuda.upload(x); const back = await image.download();
 */
export class DeviceArray implements Disposable {
  readonly context: CudaContext;
  readonly shape: Shape;
  readonly kind: ElementKind;
  #memory: DeviceMemoryHandle | undefined;

  /** Use `CudaContext.upload` or `allocate`. */
  constructor(context: CudaContext, memory: DeviceMemoryHandle, shape: Shape, kind: ElementKind) {
    this.context = context;
    this.shape = shape;
    this.kind = kind;
    this.#memory = memory;
    forgotten.register(this, memory, this);
  }

  /** Where it lies, such as `cuda:0`. */
  get device(): string {
    return this.context.name;
  }

  /** Whether it was freed. */
  get freed(): boolean {
    return this.#memory === undefined;
  }

  /**
   * Its contents once they are computed, in new memory of the host.
   *
   * @throws LarmorError `ERR_CLOSED`; `ERR_DEVICE` when the device failed; `signal.reason` when aborted before it began.
   */
  async download(options: Pick<RunOptions, 'signal'> = {}): Promise<ComplexArray | RealArray> {
    const copy = this.kind === 'complex' ? complexUninitialised(this.shape) : realZeros(this.shape);
    await this.context.read(this, 0, copy.data, options);
    return copy;
  }

  /** Frees the memory after the calls made so far and before those to come. Freeing twice does nothing. */
  free(): void {
    if (this.#memory === undefined) return;
    forgotten.unregister(this);
    this.context.release(this.#memory);
    this.#memory = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }

  /** For operators. @throws LarmorError `ERR_CLOSED` after `free`. */
  memory(who: string): DeviceMemoryHandle {
    if (this.#memory === undefined)
      throw new LarmorError(
        'ERR_CLOSED',
        `${who}: a device array ${formatShape(this.shape)} was used after it was freed`,
      );
    return this.#memory;
  }
}
