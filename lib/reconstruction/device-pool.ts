// Slices spread over CUDA devices: each device takes those that wait, as many side by side as fit.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CudaContext } from '../cuda/context.js';
import type { LarmorError } from '../errors.js';
import type { ResolvedDevice } from '../runtime/devices.js';
import { computedOnCpu, isOfDevice } from './fall-back.js';

/** Slices side by side at most: beyond, a device gains little from a larger batch. */
const MOST = 16;

/** Work on several inputs of one kind and size. Results in the order of the inputs. */
export type BatchWork<Input, Output> = (context: CudaContext, inputs: readonly Input[]) => Promise<Output[]>;

/** An output, and where it was computed. */
export interface Placed<Output> {
  readonly output: Output;
  /** Such as `cuda:1`. */
  readonly device: string;
}

/** One input that waits for a device. */
interface Task {
  /** Only equal ones go side by side. */
  readonly key: string;
  readonly input: unknown;
  readonly work: BatchWork<unknown, unknown>;
  readonly resolve: (placed: Placed<unknown>) => void;
  readonly reject: (reason: unknown) => void;
}

interface Worker {
  readonly context: CudaContext;
  /** Inputs side by side: fewer once the device ran out of memory. */
  most: number;
  busy: boolean;
}

/** The devices of one reconstruction. */
export class DevicePool implements AsyncDisposable {
  readonly #workers: readonly Worker[];
  readonly #automatic: boolean;
  /** Why there are no workers. */
  readonly #failure: LarmorError | undefined;
  readonly #waiting: Task[] = [];
  #turn = 0;

  private constructor(contexts: readonly CudaContext[], automatic: boolean, failure?: LarmorError) {
    this.#workers = contexts.map((context) => ({ context, most: MOST, busy: false }));
    this.#automatic = automatic;
    this.#failure = failure;
  }

  /**
   * Opens the devices that were chosen; undefined where that is the CPU, or another that networks alone run on.
   *
   * @throws LarmorError `ERR_DEVICE`, `ERR_OUT_OF_MEMORY` for the first that cannot be opened, unless the choice was left to larmor.
   */
  static async open({ kind, indices, automatic }: ResolvedDevice): Promise<DevicePool | undefined> {
    if (kind !== 'cuda') return undefined;
    const opened = await Promise.allSettled(indices.map((index) => CudaContext.open(index)));
    const contexts = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const failure = opened.find((outcome) => outcome.status === 'rejected');
    if (!failure) return new DevicePool(contexts, automatic);
    await Promise.all(contexts.map((context) => context.close()));
    if (automatic && isOfDevice(failure.reason)) return new DevicePool([], automatic, failure.reason);
    throw failure.reason;
  }

  /**
   * Runs `work` on the next free device, together with what else waits under the same key.
   *
   * @throws What `work` throws; of ERR_OUT_OF_MEMORY only where a single input is too much for the device.
   */
  async run<Input, Output>(key: string, input: Input, work: BatchWork<Input, Output>): Promise<Placed<Output>> {
    if (this.#failure) throw this.#failure;
    const placed = new Promise<Placed<unknown>>((resolve, reject) => {
      this.#waiting.push({ key, input, work: work as BatchWork<unknown, unknown>, resolve, reject });
    });
    for (const worker of this.#workers) void this.#serve(worker);
    return (await placed) as Placed<Output>;
  }

  /**
   * As `run`, but where the choice of device was left to larmor and the device fails or has too little memory, `onCpu` takes over.
   *
   * @returns The output, where it was computed, and the reason where that was not the device.
   */
  async runOr<Input, Output>(
    key: string,
    input: Input,
    work: BatchWork<Input, Output>,
    onCpu: () => Promise<Output>,
  ): Promise<Placed<Output> & { readonly warnings: readonly string[] }> {
    try {
      return { ...(await this.run(key, input, work)), warnings: [] };
    } catch (error) {
      if (!this.#automatic || !isOfDevice(error)) throw error;
      return { output: await onCpu(), device: 'cpu', warnings: [computedOnCpu(error)] };
    }
  }

  /**
   * Runs mostly the host's work with the help of the devices in turn, beside what they do; `onCpu` takes over as in `runOr`. Where it ran does
   * not matter to anybody, so it is not told.
   */
  async besideOr<Output>(
    work: (context: CudaContext) => Promise<Output>,
    onCpu: () => Promise<Output>,
  ): Promise<Output> {
    try {
      if (this.#failure) throw this.#failure;
      this.#turn = (this.#turn + 1) % this.#workers.length;
      return await work(this.#workers[this.#turn].context);
    } catch (error) {
      if (!this.#automatic || !isOfDevice(error)) throw error;
      return await onCpu();
    }
  }

  /** Closes the devices once their work is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map(({ context }) => context.close()));
  }

  /** Takes batches until nothing waits. */
  async #serve(worker: Worker): Promise<void> {
    if (worker.busy) return;
    worker.busy = true;
    await nextTurn(); // for what is about to wait
    for (let batch = this.#take(worker.most); batch.length > 0; batch = this.#take(worker.most))
      await this.#work(worker, batch);
    worker.busy = false;
  }

  /** The first that waits with others of its key, leaving the other devices their share. */
  #take(most: number): Task[] {
    const key = this.#waiting[0]?.key;
    const share = Math.ceil(this.#waiting.length / this.#workers.length);
    const batch = this.#waiting.filter((task) => task.key === key).slice(0, Math.min(most, share));
    for (const task of batch) this.#waiting.splice(this.#waiting.indexOf(task), 1);
    return batch;
  }

  async #work(worker: Worker, batch: readonly Task[]): Promise<void> {
    try {
      const inputs = batch.map(({ input }) => input);
      const outputs = await batch[0].work(worker.context, inputs);
      for (const [i, { resolve }] of batch.entries()) resolve({ output: outputs[i], device: worker.context.name });
    } catch (error) {
      if (batch.length > 1 && isOfDevice(error) && error.code === 'ERR_OUT_OF_MEMORY') {
        worker.most = Math.floor(batch.length / 2);
        this.#waiting.unshift(...batch);
      } else for (const { reject } of batch) reject(error);
    }
  }
}
