// Which of ONNX Runtime's execution providers computes on a device.
import type { CudaContext } from '../cuda/context.js';
import { type Device, type DeviceKind, parseDevice } from './devices.js';

/** A provider by ONNX Runtime's name, empty for the CPU, and its options. */
export interface Provider {
  readonly provider: string;
  readonly options: Readonly<Record<string, string>>;
  /** The CUDA context whose operators the graph has, and on whose stream it runs. */
  readonly context?: CudaContext | undefined;
}

const PROVIDERS: Partial<Record<DeviceKind, Provider>> = {
  // The other layout moves transposes of its own through the graph, some of which the device cannot do. The other ways of keeping freed memory
  // keep few large pieces, and allocate the others anew in every run.
  webgpu: { provider: 'WebGPU', options: { preferredLayout: 'NCHW', storageBufferCacheMode: 'simple' } },
};

/** The provider of a device; that of a CUDA device needs the context that the graph computes in: `CudaMemory` names it. */
export function providerOf(device: Device): Provider {
  const kind = parseDevice(device)?.kind ?? 'cpu';
  return PROVIDERS[kind] ?? { provider: '', options: {} };
}
