// Coil maps with the help of the devices that a reconstruction runs on.
import type { ComplexArray } from '../arrays/complex-array.js';
import { type Calibration, calibrate } from '../calibration/calibrate.js';
import { espirit } from '../calibration/espirit.js';
import { deviceEspirit } from '../cuda/espirit.js';
import type { DevicePool } from './device-pool.js';

/** As `calibrate`. @param devices Undefined: the CPU alone. */
export async function calibrateOn(
  devices: DevicePool | undefined,
  kspace: ComplexArray,
  options: Parameters<typeof calibrate>[1],
): Promise<Calibration> {
  if (!devices) return await calibrate(kspace, options);
  return await calibrate(kspace, options, (samples, wanted) =>
    devices.besideOr(
      (context) => deviceEspirit(context, samples, wanted),
      () => espirit(samples, wanted),
    ),
  );
}
