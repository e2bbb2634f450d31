// The memory of a device by the device's name.
import { WebgpuMemory } from '../graph/webgpu-memory.js';
import { CpuMemory } from '../runtime/cpu-memory.js';
import { CudaMemory } from '../runtime/cuda-memory.js';
import type { CudaOptions } from '../runtime/cuda-provider.js';
import { type Device, resolveDevice } from '../runtime/devices.js';
import type { Memory } from '../runtime/memory.js';

/** Where a network runs. */
export interface Placement {
  /** Default: cpu. */
  readonly device?: Device | 'auto' | undefined;
  /** How a CUDA device computes. */
  readonly cuda?: CudaOptions | undefined;
  /** Of graphs and of passes on the CPU. Default: the processors this process may run on. */
  readonly threads?: number | undefined;
}

/**
 * Memory on a device for one network at work. Close it when done.
 *
 * @param who Names the work in messages.
 * @throws LarmorError as `resolveDevice`; `ERR_OUT_OF_MEMORY`.
 */
export async function openMemory(who: string, { device = 'cpu', cuda, threads }: Placement): Promise<Memory> {
  const { kind, indices } = await resolveDevice(device, { who, task: 'networks' });
  if (kind === 'cuda') return await CudaMemory.open(indices[0], cuda);
  return kind === 'webgpu' ? await WebgpuMemory.open() : new CpuMemory(threads);
}
