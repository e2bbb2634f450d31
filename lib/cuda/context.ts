// A CUDA device at work: one stream, on which calls run in the order they were made, and the memory of its arrays.
import { type ComplexArray, points, type RealArray, type Shape } from '../arrays/complex-array.js';
import { binding, type JobControl } from '../binding.js';
import type { CudaContextHandle, CudaDevice, DeviceMemoryHandle } from '../bindings/cuda.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { DeviceArray, type ElementKind } from './device-array.js';
import { cudaFault, cudaNumbers, describeCudaDevice, openCuda } from './plugin.js';

/** Bytes of a device that a context holds. */
export interface DeviceMemoryUse {
  /** Device arrays alive. */
  readonly arrays: number;
  readonly arrayBytes: number;
  /** Scratch and plans of transforms, kept for the next calls. */
  readonly workBytes: number;
  /** The most of both together so far. */
  readonly peakBytes: number;
}

type CallOptions = Pick<RunOptions, 'signal'>;

/**
 * One device at work. Close it when done: device memory is invisible to the garbage collector.
 *
 * Calls run one after another, off the event loop. An abort takes effect before a call begins, not within it.
 *
 * @example await using cuda = await CudaContext.open(); using image = await cuda.upload(x);
 */
export class CudaContext implements AsyncDisposable {
  /** Such as `cuda:0`. */
  readonly name: string;
  readonly device: CudaDevice;
  readonly #handle: CudaContextHandle;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(index: number, device: CudaDevice, handle: CudaContextHandle) {
    this.name = `cuda:${index}`;
    this.device = device;
    this.#handle = handle;
  }

  /**
   * Opens a device, having tested that it computes right numbers.
   *
   * @param index Number of the device, as the driver counts.
   * @throws LarmorError `ERR_DEVICE` with the reason where there is no such device or it failed its self-test; `ERR_OUT_OF_MEMORY`.
   */
  static async open(index = 0): Promise<CudaContext> {
    if (!Number.isInteger(index) || index < 0)
      throw new LarmorError('ERR_ARGUMENT', `CudaContext: index must be an integer from 0 on, got ${index}`);
    const { failed, reason, devices } = await openCuda();
    const missing = failed === '' && index >= devices ? cudaNumbers(devices) : reason;
    const fault = missing || (await cudaFault(index));
    if (fault) throw new LarmorError('ERR_DEVICE', `CudaContext: cuda:${index} is not available: ${fault}`);
    const device = await describeCudaDevice(index);
    const handle = await runJob(1, {}, (control) => binding.createCudaContext(control, index));
    return new CudaContext(index, device, handle);
  }

  /**
   * Copies an array to the device.
   *
   * @throws LarmorError `ERR_SHAPE` when data and shape disagree; `ERR_NOT_FINITE`; `ERR_OUT_OF_MEMORY`; `ERR_CLOSED`.
   */
  async upload(array: ComplexArray | RealArray, options: RunOptions = {}): Promise<DeviceArray> {
    const kind = kindOf(array);
    const copy = await this.allocate(array.shape, kind, options);
    try {
      await this.write(copy, 0, array.data, options);
      return copy;
    } catch (error) {
      copy.free();
      throw error;
    }
  }

  /**
   * An array with arbitrary contents.
   *
   * @throws LarmorError `ERR_OUT_OF_MEMORY` where the device has too little, even without scratch; `ERR_ARGUMENT`; `ERR_CLOSED`.
   */
  async allocate(shape: Shape, kind: ElementKind = 'complex', options: CallOptions = {}): Promise<DeviceArray> {
    if (!shape.every((n) => Number.isSafeInteger(n) && n >= 1))
      throw new LarmorError('ERR_SHAPE', `CudaContext: shape must have positive lengths, got [${shape.join(',')}]`);
    const floats = points(shape) * (kind === 'complex' ? 2 : 1);
    const memory = await this.run(options, (control, context) => binding.allocateCuda(control, context, floats));
    return new DeviceArray(this, memory, [...shape], kind);
  }

  /** Copies floats into part of an array, from float `offset` on. @throws as `upload`. */
  async write(to: DeviceArray, offset: number, data: Float32Array, options: RunOptions = {}): Promise<void> {
    const threads = threadCount(options);
    const memory = this.memoryOf('write', to);
    await this.run(options, (control, context) => binding.uploadCuda(control, context, memory, offset, data, threads));
  }

  /** Copies part of an array back, from float `offset` on, once it is computed. @throws LarmorError `ERR_SHAPE`, `ERR_CLOSED`, `ERR_DEVICE`. */
  async read(from: DeviceArray, offset: number, data: Float32Array, options: CallOptions = {}): Promise<void> {
    const memory = this.memoryOf('read', from);
    await this.run(options, (control, context) => binding.downloadCuda(control, context, memory, offset, data));
  }

  /** Waits until all calls made so far are computed and what was freed is free. @throws LarmorError `ERR_DEVICE` for what failed. */
  async synchronize(): Promise<void> {
    await this.run({}, (control, context) => binding.synchronizeCuda(control, context));
  }

  /** What the context holds now. */
  async memory(): Promise<DeviceMemoryUse> {
    const [arrays, arrayBytes, workBytes, peakBytes] = await this.run({}, (control, context) =>
      binding.cudaMemory(control, context),
    );
    return { arrays, arrayBytes, workBytes, peakBytes };
  }

  /** Frees scratch and plans, which the next calls make again. */
  async trim(): Promise<void> {
    await this.run({}, (control, context) => binding.trimCuda(control, context));
  }

  /** Frees the device's memory, once the calls made so far are over; its arrays are closed with it. Closing twice does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const closing = this.run({}, (control, context) => binding.closeCudaContext(control, context));
    this.#closed = true;
    await closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Queues a native job on the context. For operators; the job must use memory of this context only. */
  async run<T>(
    options: CallOptions,
    start: (control: JobControl, context: CudaContextHandle) => Promise<T>,
    interrupt?: () => void,
  ): Promise<T> {
    if (this.#closed) throw new LarmorError('ERR_CLOSED', `CudaContext: ${this.name} is closed; open it again`);
    const before = this.#last;
    // Waiting here, not in the job, as a waiting job would hold one of libuv's few threads.
    const job = before.then(() => runJob(1, options, (control) => start(control, this.#handle), interrupt));
    this.#last = job.catch(() => {});
    return await job;
  }

  /**
   * Starts a native job that is mostly work of the host and waits for the context by itself where it needs it, beside the calls in order.
   *
   * @param steps What the job counts up to.
   */
  runBeside<T>(
    steps: number,
    options: RunOptions,
    start: (control: JobControl, context: CudaContextHandle) => Promise<T>,
  ): Promise<T> {
    return runJob(steps, options, (control) => start(control, this.#handle));
  }

  /** Frees memory after the calls made so far. For device arrays. */
  release(memory: DeviceMemoryHandle): void {
    const free = async (control: JobControl, context: CudaContextHandle): Promise<unknown> => {
      binding.freeCuda(memory);
      return binding.cudaMemory(control, context); // any call frees what was let go
    };
    this.run({}, free).catch(() => {}); // closed: then all is free already
  }

  /**
   * The memory of an array, for `run`.
   *
   * @throws LarmorError `ERR_CLOSED` for an array that was freed; `ERR_ARGUMENT` for one of another context.
   */
  memoryOf(who: string, array: DeviceArray): DeviceMemoryHandle {
    if (array.context !== this)
      throw new LarmorError(
        'ERR_ARGUMENT',
        `${who}: an array lies on ${array.context.name}, the work is on ${this.name}`,
      );
    return array.memory(who);
  }
}

function kindOf({ data, shape }: ComplexArray | RealArray): ElementKind {
  const count = points(shape);
  if (data.length === 2 * count) return 'complex';
  if (data.length === count) return 'real';
  throw new LarmorError('ERR_SHAPE', `CudaContext: an array of shape [${shape.join(',')}] holds ${data.length} floats`);
}
