// ONNX Runtime sessions and runs on tensors that are bound once and updated in place.
import { formatShape, points, type Shape } from '../arrays/complex-array.js';
import { binding as addon, type JobControl } from '../binding.js';
import type { CudaContextHandle } from '../bindings/cuda.js';
import type { BindingHandle, BoundArray, SessionDescription, SessionHandle } from '../bindings/sessions.js';
import { CudaContext } from '../cuda/context.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob } from '../jobs.js';
import { type CudaOptions, cudaProvider } from './cuda-provider.js';
import { CudaTensor } from './cuda-tensor.js';
import { DeviceTensor } from './device-tensor.js';
import { type Device, resolveDevice } from './devices.js';
import { runtimeLibrary } from './library.js';
import { type Provider, providerOf } from './provider.js';
import { type BoundTensor, type ElementType, expectTensor, type Tensor } from './tensor.js';

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

/** An input or output of a session; lengths that the graph leaves open are -1. */
export interface TensorInfo {
  readonly name: string;
  readonly type: ElementType | 'unsupported';
  readonly shape: Shape;
}

/** Tensors by the names that the graph gives its inputs or outputs. */
export type NamedTensors = Readonly<Record<string, BoundTensor>>;

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
  { provider, options: settings, context }: Provider = providerOf(device),
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
  return new Session(description, device, context, ownsContext);
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
  #closed = false;

  /** Use `createSession`. */
  constructor(description: SessionDescription, device: Device, context?: CudaContext, ownsContext = false) {
    this.inputs = description.inputs;
    this.outputs = description.outputs;
    this.device = device;
    this.handle = description.handle;
    this.#context = context;
    this.#ownsContext = ownsContext;
  }

  /**
   * Binds tensors for any number of runs, without a copy on the CPU: each run reads what the inputs hold by then and writes the
   * outputs in place. Needs every input; outputs left out are not delivered. Sessions on a device take tensors there, and copy those in
   * memory of JavaScript at every run.
   *
   * @throws LarmorError `ERR_ARGUMENT` for a missing, unknown, mistyped or shared tensor; `ERR_SHAPE` with both shapes;
   *   `ERR_CLOSED`.
   */
  bind(inputs: NamedTensors, outputs: NamedTensors): Binding {
    this.#expectOpen();
    const tensors = [...match('input', this.inputs, inputs, true), ...match('output', this.outputs, outputs, false)];
    expectSeparateOutputs(this, tensors);
    const bindNow = (): BoundArrays => bindArrays(this.handle, tensors);
    // Memory of a CUDA device may come with the first run.
    let bound = tensors.some((tensor) => tensor instanceof CudaTensor) ? undefined : bindNow();
    return new Binding(async (options) => {
      this.#expectOpen();
      bound ??= bindNow();
      const { handle, arrays } = bound;
      const run = (control: JobControl): Promise<void> => addon.runBinding(control, this.handle, handle, arrays);
      const stop = (): void => addon.terminateBinding(handle);
      await (this.#context ? this.#context.run(options, run, stop) : runJob(1, options, run, stop));
    });
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
   *   `ERR_CLOSED`; `ERR_OUT_OF_MEMORY`; `ERR_RUNTIME` with ONNX Runtime's message; the code of a custom operator's error.
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

/** The tensors in the order of the session's declarations, undefined for outputs left out. */
function match(
  kind: 'input' | 'output',
  declared: readonly TensorInfo[],
  given: NamedTensors,
  needed: boolean,
): (BoundTensor | undefined)[] {
  const names = declared.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `Session: no ${kind} is called ${unknown}; the ${kind}s are ${names.join(', ')}`,
    );
  return declared.map((info) => {
    const tensor = Object.hasOwn(given, info.name) ? given[info.name] : undefined;
    if (tensor !== undefined) expectFits(`${kind} ${info.name}`, info, tensor);
    else if (needed) throw new LarmorError('ERR_ARGUMENT', `Session: ${kind} ${info.name} is missing`);
    return tensor;
  });
}

function expectFits(name: string, info: TensorInfo, tensor: BoundTensor): void {
  if (tensor.type !== info.type)
    throw new LarmorError('ERR_ARGUMENT', `Session: ${name} must have the type ${info.type}, got ${tensor.type}`);
  if ('data' in tensor) expectTensor('Session', name, tensor);
  // A graph may leave the whole shape open, which reads as []: ONNX Runtime then checks it during the run.
  const fits =
    info.shape.length === 0 ||
    (info.shape.length === tensor.shape.length && info.shape.every((n, i) => n === -1 || n === tensor.shape[i]));
  if (!fits)
    throw new LarmorError(
      'ERR_SHAPE',
      `Session: ${name} must have shape ${formatShape(info.shape).replaceAll('-1', '*')}, got ${formatShape(tensor.shape)}`,
    );
}

/** Where a tensor lies: bytes of a buffer, or the whole of a tensor on a device. */
function placeOf(tensor: BoundTensor): { memory: object; from: number; to: number } {
  if (tensor instanceof DeviceTensor) return { memory: tensor, from: 0, to: 1 };
  if (tensor instanceof CudaTensor)
    return { memory: tensor.array, from: tensor.offset, to: tensor.offset + points(tensor.shape) };
  const { buffer, byteOffset, byteLength } = (tensor as Tensor).data;
  return { memory: buffer, from: byteOffset, to: byteOffset + byteLength };
}

/** An output in the memory of another tensor would be overwritten while the graph still reads or writes it. */
function expectSeparateOutputs(session: Session, tensors: readonly (BoundTensor | undefined)[]): void {
  const names = [...session.inputs, ...session.outputs].map(({ name }) => name);
  const spans = tensors.flatMap((tensor, i) =>
    tensor === undefined ? [] : [{ name: names[i], output: i >= session.inputs.length, ...placeOf(tensor) }],
  );
  spans.sort((a, b) => a.from - b.from);
  const last = new Map<object, (typeof spans)[number]>();
  for (const span of spans) {
    const before = last.get(span.memory);
    if (before !== undefined && span.from < before.to && (span.output || before.output))
      throw new LarmorError(
        'ERR_ARGUMENT',
        `Session: ${before.name} and ${span.name} share memory; give the output its own`,
      );
    if (before === undefined || span.to > before.to) last.set(span.memory, span);
  }
}
