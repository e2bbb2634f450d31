// Types of the addon's functions on CUDA devices.
import type { JobControl } from '../binding.js';

declare const handleKind: unique symbol;
/** A stream of a device and what lies in its memory. */
export interface CudaContextHandle {
  readonly [handleKind]: 'cuda context';
}
/** Memory of a context. */
export interface DeviceMemoryHandle {
  readonly [handleKind]: 'device memory';
}

/** How far opening the plugin came; `failed` is empty where it can be used. */
export interface CudaOpening {
  readonly failed: '' | 'platform' | 'driver' | 'plugin' | 'version' | 'devices';
  readonly reason: string;
  /** Of the plugin, empty where there is none. */
  readonly path: string;
  readonly devices: number;
}

/** A CUDA device, as its driver describes it. */
export interface CudaDevice {
  readonly name: string;
  /** Compute capability. */
  readonly major: number;
  readonly minor: number;
  readonly multiprocessors: number;
  /** 1000 times the major plus 10 times the minor version; cuFFT's as cuFFT numbers it, 0 where there is none. */
  readonly driverVersion: number;
  readonly runtimeVersion: number;
  readonly cufftVersion: number;
  /** Bytes. */
  readonly memoryTotal: number;
  readonly memoryFree: number;
}

/** What functions on a context's stream take after their control words. */
export type DeviceEncodingArguments = [
  context: CudaContextHandle,
  batch: number,
  sets: number,
  coils: number,
  ny: number,
  nx: number,
  lines: boolean,
  maps: DeviceMemoryHandle,
  mask: DeviceMemoryHandle,
  input: DeviceMemoryHandle,
  output: DeviceMemoryHandle,
];

/** Functions of native/addon/cuda_devices.cc, cuda_memory.cc and cuda_operators.cc. */
export interface CudaBinding {
  // native/addon/cuda_devices.cc
  /** Opens the first plugin of `paths` that exists, once per process: later calls give what the first one found. */
  openCuda(control: JobControl, paths: readonly string[]): Promise<CudaOpening>;
  describeCudaDevice(control: JobControl, device: number): Promise<CudaDevice>;
  /** Why the self-test of a device failed; empty where it passed. */
  testCudaDevice(control: JobControl, device: number): Promise<string>;

  // native/addon/cuda_memory.cc
  createCudaContext(control: JobControl, device: number): Promise<CudaContextHandle>;
  /** Frees the context and all its memory. */
  closeCudaContext(control: JobControl, context: CudaContextHandle): Promise<void>;
  /** Waits for the stream, having freed what was let go. */
  synchronizeCuda(control: JobControl, context: CudaContextHandle): Promise<void>;
  /** Frees scratch and plans. */
  trimCuda(control: JobControl, context: CudaContextHandle): Promise<void>;
  /** [arrays, bytes of arrays, bytes of scratch and plans, the most of both together]. */
  cudaMemory(control: JobControl, context: CudaContextHandle): Promise<Float64Array>;
  /** Uninitialised. */
  allocateCuda(control: JobControl, context: CudaContextHandle, floats: number): Promise<DeviceMemoryHandle>;
  /** The memory is freed at the next use of its context, once no job holds it. */
  freeCuda(memory: DeviceMemoryHandle): void;
  /** Offsets in floats; rejects with ERR_NOT_FINITE. */
  uploadCuda(
    control: JobControl,
    context: CudaContextHandle,
    memory: DeviceMemoryHandle,
    offset: number,
    data: Float32Array,
    threads: number,
  ): Promise<void>;
  downloadCuda(
    control: JobControl,
    context: CudaContextHandle,
    memory: DeviceMemoryHandle,
    offset: number,
    data: Float32Array,
  ): Promise<void>;

  // native/addon/cuda_operators.cc
  /** Centred unitary transforms of `count` complex images [ny, nx]; output may be input. */
  cudaFft2(
    control: JobControl,
    context: CudaContextHandle,
    inverse: boolean,
    count: number,
    ny: number,
    nx: number,
    input: DeviceMemoryHandle,
    output: DeviceMemoryHandle,
  ): Promise<void>;
  /** kspace [batch, coil, y, x] = A x of images [batch, set, y, x]. */
  cudaEncodeForward(control: JobControl, ...rest: DeviceEncodingArguments): Promise<void>;
  cudaEncodeAdjoint(control: JobControl, ...rest: DeviceEncodingArguments): Promise<void>;
  /** Output may be input. */
  cudaEncodeNormal(control: JobControl, ...rest: DeviceEncodingArguments): Promise<void>;
  /** Output x = (A^H A + lambda)^-1 input, by conjugate gradients from zero or from x as it is. [iterations, relative residual] of every problem. */
  cudaSolveNormal(
    control: JobControl,
    ...rest: [...DeviceEncodingArguments, fromZero: boolean, lambda: number, iterations: number, tolerance: number]
  ): Promise<Float64Array>;
  /** to += factor values. */
  cudaAddScaled(
    control: JobControl,
    context: CudaContextHandle,
    factor: number,
    values: DeviceMemoryHandle,
    to: DeviceMemoryHandle,
  ): Promise<void>;

  // native/addon/cuda_training.cc
  /** One update of Adam as `adamStep`; scratch is one float. Rejects with ERR_DIVERGED, having changed nothing, when a gradient is not finite. */
  cudaAdam(
    control: JobControl,
    context: CudaContextHandle,
    weights: DeviceMemoryHandle,
    gradients: DeviceMemoryHandle,
    firstMoments: DeviceMemoryHandle,
    secondMoments: DeviceMemoryHandle,
    scratch: DeviceMemoryHandle,
    ranges: Uint32Array,
    step: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): Promise<void>;
  /** ||x||_2. */
  cudaNorm(
    control: JobControl,
    context: CudaContextHandle,
    x: DeviceMemoryHandle,
    scratch: DeviceMemoryHandle,
  ): Promise<number>;
  cudaZero(control: JobControl, context: CudaContextHandle, memory: DeviceMemoryHandle): Promise<void>;
  /** to = from. */
  cudaCopy(
    control: JobControl,
    context: CudaContextHandle,
    to: DeviceMemoryHandle,
    from: DeviceMemoryHandle,
  ): Promise<void>;
  /** y = keep y + add x; x may be y. */
  cudaBlend(
    control: JobControl,
    context: CudaContextHandle,
    keep: number,
    y: DeviceMemoryHandle,
    add: number,
    x: DeviceMemoryHandle,
  ): Promise<void>;
  /** y += rate (x - y). */
  cudaApproach(
    control: JobControl,
    context: CudaContextHandle,
    rate: number,
    y: DeviceMemoryHandle,
    x: DeviceMemoryHandle,
  ): Promise<void>;
}
