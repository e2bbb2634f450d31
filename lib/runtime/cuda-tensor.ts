// A tensor that lies in part of an array on a CUDA device.
import type { Shape } from '../arrays/complex-array.js';
import type { DeviceMemoryHandle } from '../bindings/cuda.js';

/** For `Session.bind` of a session on the same device. Its memory need not be there before the first run. */
export class CudaTensor {
  readonly type = 'float32';
  readonly shape: Shape;
  /** What all tensors of one array have in common. */
  readonly array: object;
  /** Floats before it in its array. */
  readonly offset: number;
  readonly #memory: () => DeviceMemoryHandle;

  constructor(shape: Shape, array: object, offset: number, memory: () => DeviceMemoryHandle) {
    this.shape = shape;
    this.array = array;
    this.offset = offset;
    this.#memory = memory;
  }

  /** Where it lies. @throws LarmorError `ERR_CLOSED` for an array that was freed. */
  get memory(): DeviceMemoryHandle {
    return this.#memory();
  }
}
