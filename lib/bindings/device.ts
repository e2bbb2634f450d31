// The addon's functions for memory of devices (native/addon/device.cc).
import type { JobControl } from '../binding.js';
import type { SessionHandle } from './sessions.js';

declare const handleKind: unique symbol;
/** An opaque native object. */
export interface DeviceMemoryHandle {
  readonly [handleKind]: 'device memory';
}
export interface DeviceTensorHandle {
  readonly [handleKind]: 'device tensor';
}

export interface DeviceBinding {
  /** The memory of the device that a session runs on, by ONNX Runtime's name for it. Keeps the session. */
  openDeviceMemory(control: JobControl, session: SessionHandle, name: string): Promise<DeviceMemoryHandle>;
  /** Allocated when first used. */
  deviceTensor(memory: DeviceMemoryHandle, type: string, shape: readonly number[]): DeviceTensorHandle;
  writeDeviceTensor(control: JobControl, tensor: DeviceTensorHandle, data: ArrayBufferView): Promise<void>;
  readDeviceTensor(control: JobControl, tensor: DeviceTensorHandle, data: ArrayBufferView): Promise<void>;
  /** In pairs of one device, type and shape. */
  copyDeviceTensors(
    control: JobControl,
    from: readonly DeviceTensorHandle[],
    to: readonly DeviceTensorHandle[],
  ): Promise<void>;
  /** Freed, off the event loop, as soon as no binding uses it. */
  closeDeviceTensor(control: JobControl, tensor: DeviceTensorHandle): Promise<void>;
}
