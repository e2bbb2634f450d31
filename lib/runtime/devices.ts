// Where work can run: a table of backends that each say whether they work here, and the choice among them.
import { LarmorError } from '../errors.js';

/** Kinds of devices, the fastest first: the order in which `auto` looks. */
export const DEVICE_KINDS = ['cuda', 'webgpu', 'cpu'] as const;
/** A kind of device. */
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** Where to run: `cuda:1` is the second CUDA device; `cuda` the first, or all where slices can be spread over several. */
export type Device = DeviceKind | `cuda:${number}`;

/** What a device is wanted for: operators and solvers by themselves, or networks, which ONNX Runtime runs. */
export type DeviceTask = 'operators' | 'networks';

/** What a backend says of itself on this machine. */
export type Probe =
  | {
      readonly available: true;
      /** What it found, for reports: names, memory, versions. */
      readonly description: string;
      /** Numbers of the devices that work. Default: 0 alone. */
      readonly indices?: readonly number[] | undefined;
      /** Devices that are there and do not work, with what is wrong with each. */
      readonly leftOut?: string | undefined;
    }
  | {
      readonly available: false;
      readonly reason: string;
      /** What to type to mend it. */
      readonly remedy?: string | undefined;
    };

/**
 * Looks, and tests with numbers, once per process; a promise, as devices take a while to start. Never rejects.
 *
 * @param index The one device asked for: others, where somebody else may be at work, are then left alone.
 */
type Backend = (task: DeviceTask, index: number | undefined) => Probe | Promise<Probe>;

const BACKENDS: Record<DeviceKind, Backend> = {
  cuda: probeCuda,
  webgpu: probeWebgpuFor,
  cpu: () => ({ available: true, description: 'always there' }),
};

/** Imported on demand, as it loads the addon: names of devices are known without. */
async function probeCuda(task: DeviceTask, index: number | undefined): Promise<Probe> {
  try {
    const cuda = await import('../cuda/plugin.js');
    const probe = await cuda.probeCuda(index);
    if (!probe.available || task === 'operators') return probe;
    const { cudaProviderFault } = await import('./cuda-provider.js');
    const fault = await cudaProviderFault(probe.indices[0]);
    return fault ? { available: false, ...fault } : probe;
  } catch (error) {
    return { available: false, reason: (error as Error).message };
  }
}

/** Imported on demand, as `auto` seldom gets so far. */
async function probeWebgpuFor(task: DeviceTask): Promise<Probe> {
  if (task === 'operators') return { available: false, reason: 'WebGPU runs networks, not operators by themselves' };
  return await (await import('./webgpu.js')).probeWebgpu();
}

/** Whether `kind`, or its device `index`, works here for `task`, with what was found or why not. */
export async function probeDevice(kind: DeviceKind, task: DeviceTask, index?: number): Promise<Probe> {
  return await BACKENDS[kind](task, index);
}

/** A kind of device as `availableDevices` lists it. */
export interface DeviceStatus {
  readonly device: DeviceKind;
  /** Why it cannot be used; absent where it can. */
  readonly unavailable?: string | undefined;
  /** What was found, where it can be used. */
  readonly description?: string | undefined;
}

/** Every kind of device, for networks unless said otherwise, with the reason why it is not available where it is not. */
export async function availableDevices(task: DeviceTask = 'networks'): Promise<DeviceStatus[]> {
  const status = async (device: DeviceKind): Promise<DeviceStatus> => {
    const probe = await probeDevice(device, task);
    return probe.available ? { device, description: probe.description } : { device, unavailable: probe.reason };
  };
  return await Promise.all(DEVICE_KINDS.map(status));
}

/** The device that work will run on. */
export interface ResolvedDevice {
  readonly kind: DeviceKind;
  /** `cuda:1` where one of several was asked for, else the kind. */
  readonly name: Device;
  /** Which devices of this kind may be used, by their numbers. */
  readonly indices: readonly number[];
  /** Why this device and no other, for reports. */
  readonly reason: string;
  /** Whether it was left to larmor, so that the CPU may take over. */
  readonly automatic: boolean;
}

/** What work the device is for. */
export interface DeviceRequest {
  /** Names the work in messages, such as `method grappa`. */
  readonly who: string;
  readonly task: DeviceTask;
  /** Kinds that the work can run on at all. Default: every kind. */
  readonly kinds?: readonly DeviceKind[] | undefined;
}

/** What a device may be called, for messages. */
export const DEVICE_WANTED = 'auto, cpu, cuda, cuda:N, webgpu';

/** The kind of a device and its number, where it has one; undefined for what is no name of a device. */
export function parseDevice(device: string): { kind: DeviceKind; index: number | undefined } | undefined {
  const [, name, index] = /^([a-z]+)(?::(\d{1,3}))?$/.exec(device) ?? [];
  const kind = DEVICE_KINDS.find((candidate) => candidate === name);
  if (kind === undefined || (index !== undefined && kind !== 'cuda')) return undefined;
  return { kind, index: index === undefined ? undefined : Number(index) };
}

/**
 * The device to run on. `auto` takes the fastest that is there, passed its self-test and suits the work.
 *
 * @throws LarmorError `ERR_DEVICE` with the reason when a device asked for by name is not available or does not suit the work;
 *   `ERR_ARGUMENT` for an unknown name.
 */
export async function resolveDevice(wanted: Device | 'auto', request: DeviceRequest): Promise<ResolvedDevice> {
  if (wanted === 'auto') return await fastest(request);
  const { who, task, kinds = DEVICE_KINDS } = request;
  const { kind, index } = parseDevice(wanted) ?? {};
  if (kind === undefined)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `${who}: device must be one of ${DEVICE_WANTED}, got ${JSON.stringify(wanted)}`,
    );
  const fail = (reason: string): never => {
    throw new LarmorError('ERR_DEVICE', `${who}: device ${wanted} is not available: ${reason}. Use "cpu" or "auto".`);
  };
  if (!kinds.includes(kind)) return fail(`${who} runs on ${kinds.join(', ')} only`);
  const probe = await probeDevice(kind, task, index);
  if (!probe.available) return fail(probe.remedy ? `${probe.reason}. To mend it: ${probe.remedy}` : probe.reason);
  const { indices = [0] } = probe;
  return { kind, name: wanted, indices, reason: withLeftOut('asked for', probe.leftOut), automatic: false };
}

function withLeftOut(reason: string, leftOut: string | undefined): string {
  return leftOut === undefined ? reason : `${reason}; ${leftOut}`;
}

/** Kinds that `auto` does not even look for, and why. */
const NOT_AUTOMATIC: Partial<Record<DeviceKind, string>> = {
  webgpu: 'no faster than the CPU wherever it was measured',
};

async function fastest({ who, task, kinds = DEVICE_KINDS }: DeviceRequest): Promise<ResolvedDevice> {
  const passedOver: string[] = [];
  for (const kind of DEVICE_KINDS) {
    if (!kinds.includes(kind)) {
      if (kind !== 'cpu') passedOver.push(`${kind}: ${who} does not run there`);
      continue;
    }
    const reason = NOT_AUTOMATIC[kind];
    const probe: Probe = reason === undefined ? await probeDevice(kind, task) : { available: false, reason };
    if (!probe.available) {
      passedOver.push(`${kind}: ${probe.reason}`);
      continue;
    }
    const { indices = [0] } = probe;
    const why =
      kind === 'cpu' ? passedOver.join('; ') : withLeftOut(`the fastest here: ${probe.description}`, probe.leftOut);
    return { kind, name: kind, indices, reason: why, automatic: true };
  }
  throw new LarmorError('ERR_DEVICE', `${who}: no device: ${passedOver.join('; ')}`);
}
