// ONNX Runtime sessions and runs on tensors that are bound once and updated in place.
import { binding as addon, type JobControl } from '../binding.js';
import type { CudaContextHandle } from '../bindings/cuda.js';
import type { BindingHandle, BoundArray, SessionDescription, SessionHandle } from '../bindings/sessions.js';
import { CudaContext } from '../cuda/context.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob } from '../jobs.js';
import { boundTensors, type NamedTensors, type TensorInfo } from './bound-tensors.js';
import { type CudaOptions, cudaProvider } from './cuda-provider.js';
import { CudaTensor } from './cuda-tensor.js';
import { DeviceTensor } from './device-tensor.js';
import { type Device, resolveDevice } from './devices.js';
import { runtimeLibrary } from './library.js';
import { type Provider, providerOf } from './provider.js';
import type { BoundTensor } from './tensor.js';

const OPTIMIZATION_LEVELS = { off: 0, basic: 1, extended: 2, all: 99 };
const LOG_SEVERITIES = { verbose: 0, info: 1, warning: 2, error: 3, fatal: 4 };
const MAX_THREADS = 256;

export interface SessionOptions {
  /** Where to run. Default: cpu. */
  device?: Device | 'auto' | undefined;
  /** How a CUDA device computes. */
  cuda?: CudaOptions | undefined;
  /** Threads of one run; they sleep when idle. Default: the processors this process may run on. */
  threads?: number | undefined;
  /** Which rewrites ONNX Runtime applies to the graph. Default: all. */
  optimization?: keyof typeof OPTIMIZATION_LEVELS | undefined;
  /** What ONNX Runtime writes to stderr. Default: fatal, because errors come back as exceptions. */
  log?: keyof typeof LOG_SEVERITIES | undefined;
  /** Aborting rejects with `signal.reason` once loading is over. */
  signal?: AbortSignal | undefined;
}

/**
 * Loads a graph, off the event loop.
 *
 * @param model Bytes of an ONNX file; not needed afterwards.
 * @throws LarmorError `ERR_GRAPH` for bytes that are no valid graph, `ERR_RUNTIME_MISSING`, `ERR_DEVICE`, `ERR_OUT_OF_MEMORY`.
 */
export async function createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const request = { who: 'createSession', task: 'networks' } as const;
  const { name, kind, indices } = await resolveDevice(options.device ?? 'cpu', request);
  if (kind !== 'cuda') return await loadSession(model, name, options);
  const [index] = indices;
  const context = await CudaContext.open(index);
  try {
    return await loadSession(model, name, options, cudaProvider(context, index, options.cuda), true);
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** The same on a device that was chosen before. @param ownsContext Whether the provider's context is closed with the session. */
export async function loadSession(
  model: Uint8Array,
  device: Device,
  options: Omit<SessionOptions, 'device'>,
  { provider, options: settings, context, replays }: Provider = providerOf(device),
  ownsContext = false,
): Promise<Session> {
  const { threads = addon.platform().threads, optimization = 'all', log = 'fatal', signal } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS)
    throw new LarmorError('ERR_ARGUMENT', `createSession: threads must be from 1 to ${MAX_THREADS}, got ${threads}`);
  const level = choice('optimization', OPTIMIZATION_LEVELS, optimization);
  const severity = choice('log', LOG_SEVERITIES, log);
  const library = runtimeLibrary();
  const create = (control: JobControl, cuda?: CudaContextHandle): Promise<SessionDescription> =>
    addon.createSession(
      control,
      library,
      model,
      threads,
      level,
      severity,
      provider,
      Object.keys(settings),
      Object.values(settings),
      cuda,
    );
  const description = await (context ? context.run({ signal }, create) : runJob(1, { signal }, create));
  return new Session(description, device, { context, ownsContext, replays });
}

function choice<T extends string>(name: string, values: Record<T, number>, wanted: T): number {
  if (!Object.hasOwn(values, wanted))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `createSession: ${name} must be one of ${Object.keys(values).join(', ')}, got ${JSON.stringify(wanted)}`,
    );
  return values[wanted];
}

/**
 * A graph loaded into ONNX Runtime. Close it when done: its memory is invisible to the garbage collector.
 *
 * Runs take a thread of libuv's pool each (four per process unless UV_THREADPOOL_SIZE says otherwise) for as long as they
 * last, so that many runs at once delay the file system calls of the process.
 */
export class Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly device: Device;
  /** For other functions of the addon. */
  readonly handle: SessionHandle;
  readonly #context: CudaContext | undefined;
  readonly #ownsContext: boolean;
  readonly #replays: boolean;
  #bound = false;
  #closed = false;

  /** Use `createSession`. */
  constructor(
    description: SessionDescription,
    device: Device,
    {
      context,
      ownsContext = false,
      replays = false,
    }: Pick<Provider, 'context' | 'replays'> & { ownsContext?: boolean },
  ) {
    this.inputs = description.inputs;
    this.outputs = description.outputs;
    this.device = device;
    this.handle = description.handle;
    this.#context = context;
    this.#ownsContext = ownsContext;
    this.#replays = replays;
  }

  /**
   * Binds tensors for any number of runs, without a copy on the CPU: each run reads what the inputs hold by then and writes the
   * outputs in place. Needs every input; outputs left out are not delivered. Sessions on a device take tensors there, and copy those in
   * memory of JavaScript at every run. Sessions that replay are bound once, to tensors on their device.
   *
   * @throws LarmorError `ERR_ARGUMENT` for a missing, unknown, mistyped or shared tensor; `ERR_SHAPE` with both shapes;
   *   `ERR_CLOSED`.
   */
  bind(inputs: NamedTensors, outputs: NamedTensors): Binding {
    this.#expectOpen();
    const tensors = boundTensors(this, inputs, outputs);
    if (this.#replays && (this.#bound || tensors.some((tensor) => tensor && !(tensor instanceof DeviceTensor))))
      throw new LarmorError('ERR_ARGUMENT', 'Session: one that replays takes one binding, of tensors on its device');
    this.#bound = true;
    const bindNow = (): BoundArrays => bindArrays(this.handle, tensors);
    // Memory of a CUDA device may come with the first run.
    let bound = tensors.some((tensor) => tensor instanceof CudaTensor) ? undefined : bindNow();
    return new Binding(async (options) => {
      this.#expectOpen();
      bound ??= bindNow();
      const { handle, arrays } = bound;
      const run = (control: JobControl): Promise<void> => addon.runBinding(control, this.handle, handle, arrays);
      if (this.#replays) return await this.#replay(run, options.signal);
      const stop = (): void => addon.terminateBinding(handle);
      await (this.#context ? this.#context.run(options, run, stop) : runJob(1, options, run, stop));
    });
  }

  /** A run from its start to its end: what an abort or an error left of a recording would be repeated for ever. */
  async #replay(run: (control: JobControl) => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    try {
      await runJob(1, {}, run);
    } catch (error) {
      await this.close();
      throw error;
    }
    signal?.throwIfAborted();
  }

  /** Frees the session, off the event loop; runs under way end first. Closing twice does nothing. Need not be awaited. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await runJob(1, {}, (control) => addon.closeSession(control, this.handle));
    if (this.#ownsContext) await this.#context?.close();
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  #expectOpen(): void {
    if (this.#closed) throw new LarmorError('ERR_CLOSED', 'Session: closed; create a new one');
  }
}

/** Tensors as the addon takes them. */
interface BoundArrays {
  readonly handle: BindingHandle;
  readonly arrays: readonly BoundArray[];
}

function bindArrays(session: SessionHandle, tensors: readonly (BoundTensor | undefined)[]): BoundArrays {
  const arrays = tensors.map((tensor): BoundArray => {
    if (tensor instanceof CudaTensor) return [tensor.memory, tensor.offset];
    return tensor instanceof DeviceTensor ? tensor.handle : tensor?.data;
  });
  const shapes = tensors.map((tensor) => tensor?.shape);
  return { handle: addon.bindSession(session, arrays, shapes), arrays };
}

/** Tensors bound to a session: call `run` as often as needed, once at a time. */
export class Binding {
  readonly #start: (options: Pick<RunOptions, 'signal'>) => Promise<void>;
  #running = false;

  /** Use `Session.bind`. */
  constructor(start: (options: Pick<RunOptions, 'signal'>) => Promise<void>) {
    this.#start = start;
  }

  /**
   * Runs the graph off the event loop. After an abort or an error the outputs hold no defined values.
   *
   * @throws LarmorError `ERR_ARGUMENT` while a run is under way or after a bound array was transferred elsewhere;
   *   `ERR_CLOSED`; `ERR_OUT_OF_MEMORY`; `ERR_RUNTIME`, or `ERR_DEVICE` where it is not the CPU, with ONNX Runtime's message; the code of a
   *   custom operator's error.
   */
  async run(options: Pick<RunOptions, 'signal'> = {}): Promise<void> {
    if (this.#running)
      throw new LarmorError(
        'ERR_ARGUMENT',
        'Binding: a run is under way; await it, or bind other tensors to run at once',
      );
    this.#running = true;
    try {
      await this.#start({ signal: options.signal });
    } finally {
      this.#running = false;
    }
  }
}
