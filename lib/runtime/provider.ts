// Which of ONNX Runtime's execution providers computes on a device.
import { type Device, type DeviceKind, parseDevice } from './devices.js';

/** A provider by ONNX Runtime's name, empty for the CPU, and its options. */
export interface Provider {
  readonly provider: string;
  readonly options: Readonly<Record<string, string>>;
}

const PROVIDERS: Partial<Record<DeviceKind, Provider>> = {
  // The other layout moves transposes of its own through the graph, some of which the device cannot do.
  webgpu: { provider: 'WebGPU', options: { preferredLayout: 'NCHW' } },
};

export function providerOf(device: Device): Provider {
  const kind = parseDevice(device)?.kind ?? 'cpu';
  return PROVIDERS[kind] ?? { provider: '', options: {} };
}
