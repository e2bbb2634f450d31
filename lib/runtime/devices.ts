// Which devices can run a network here, and why the others cannot.
import { LarmorError } from '../errors.js';

export const DEVICES = ['cpu', 'cuda', 'webgpu'] as const;
/** Where networks run. */
export type Device = (typeof DEVICES)[number];

export interface ResolvedDevice {
  readonly device: Device;
  /** Why this device and no other, for reports. */
  readonly reason: string;
}

const UNAVAILABLE: Record<Exclude<Device, 'cpu'>, string> = {
  cuda: 'this version of larmor has no CUDA backend',
  webgpu: 'this version of larmor has no WebGPU backend',
};

/** Every device with the reason why it is not available; no reason where it is. */
export function availableDevices(): { device: Device; unavailable?: string }[] {
  return DEVICES.map((device) => (device === 'cpu' ? { device } : { device, unavailable: UNAVAILABLE[device] }));
}

/**
 * The device to run on. `auto` takes the best one available and falls back to the CPU.
 *
 * @throws LarmorError `ERR_DEVICE` with the reason when a device asked for by name is not available;
 *   `ERR_ARGUMENT` for an unknown name.
 */
export function resolveDevice(wanted: Device | 'auto'): ResolvedDevice {
  if (wanted === 'cpu') return { device: 'cpu', reason: 'asked for' };
  if (wanted === 'auto') {
    const reasons = availableDevices().flatMap(({ device, unavailable }) =>
      unavailable ? [`${device}: ${unavailable}`] : [],
    );
    return { device: 'cpu', reason: reasons.join('; ') };
  }
  if (!DEVICES.includes(wanted))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `resolveDevice: device must be one of auto, ${DEVICES.join(', ')}, got ${JSON.stringify(wanted)}`,
    );
  throw new LarmorError(
    'ERR_DEVICE',
    `device ${wanted} is not available: ${UNAVAILABLE[wanted]}. Use "cpu" or "auto".`,
  );
}
