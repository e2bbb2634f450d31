// Tensors in the memory of a device, which sessions on that device take in place of arrays.
import type { Shape } from '../arrays/complex-array.js';
import { binding as addon } from '../binding.js';
import type { DeviceMemoryHandle, DeviceTensorHandle } from '../bindings/device.js';
import { runJob } from '../jobs.js';

/** A float32 tensor on a device; allocated when first used, its values undefined until written. */
export class DeviceTensor {
  readonly type = 'float32';
  readonly shape: Shape;
  readonly handle: DeviceTensorHandle;

  constructor(memory: DeviceMemoryHandle, shape: Shape) {
    this.shape = shape;
    this.handle = addon.deviceTensor(memory, 'float32', shape);
  }

  /** Copies values in. @throws LarmorError `ERR_SHAPE` for another number of values; `ERR_OUT_OF_MEMORY`. */
  write(values: Float32Array): Promise<void> {
    return runJob(1, {}, (control) => addon.writeDeviceTensor(control, this.handle, values));
  }

  /** Copies the values out, after all work queued before. */
  async read(): Promise<Float32Array> {
    const values = new Float32Array(this.shape.reduce((product, n) => product * n, 1));
    await runJob(1, {}, (control) => addon.readDeviceTensor(control, this.handle, values));
    return values;
  }

  /** Frees the memory, off the event loop, once no binding uses it. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void runJob(1, {}, (control) => addon.closeDeviceTensor(control, this.handle));
  }
  #closed = false;
}

/** Copies tensors in pairs of one device and shape, after all work queued before. */
export function copyDeviceTensors(from: readonly DeviceTensor[], to: readonly DeviceTensor[]): Promise<void> {
  const handles = (tensors: readonly DeviceTensor[]): DeviceTensorHandle[] => tensors.map(({ handle }) => handle);
  return runJob(1, {}, (control) => addon.copyDeviceTensors(control, handles(from), handles(to)));
}
