// Which of ONNX Runtime's execution providers computes on a device.
import type { CudaContext } from '../cuda/context.js';
import { type Device, type DeviceKind, parseDevice } from './devices.js';

/** A provider by ONNX Runtime's name, empty for the CPU, and its options. */
export interface Provider {
  readonly provider: string;
  readonly options: Readonly<Record<string, string>>;
  /** The CUDA context whose operators the graph has, and on whose stream it runs. */
  readonly context?: CudaContext | undefined;
  /** Whether sessions record what their first run queues on the device, and repeat it: on the same tensors, which all lie there. */
  readonly replays?: boolean | undefined;
}

const PROVIDERS: Partial<Record<DeviceKind, Provider>> = {
  // The other layout moves transposes of its own through the graph, some of which the device cannot do. The other ways of keeping freed memory
  // keep few large pieces, and allocate the others anew in every run.
  webgpu: { provider: 'WebGPU', options: { preferredLayout: 'NCHW', storageBufferCacheMode: 'simple' } },
};

/** WebGPU, for sessions that repeat their first run. It leaves out copies, so that every result must come from a kernel: `toReplayable`. */
export function replayingWebgpu(): Provider {
  const { provider, options } = providerOf('webgpu');
  return { provider, options: { ...options, enableGraphCapture: '1' }, replays: true };
}

/** The provider of a device; that of a CUDA device needs the context that the graph computes in: `CudaMemory` names it. */
export function providerOf(device: Device): Provider {
  const kind = parseDevice(device)?.kind ?? 'cpu';
  return PROVIDERS[kind] ?? { provider: '', options: {} };
}
