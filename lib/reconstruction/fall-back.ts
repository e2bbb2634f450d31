// When the CPU takes over what a device was to compute, and what is then said of it.
import { LarmorError } from '../errors.js';

/** Whether an error says that the device failed or has too little memory, so that another may do. */
export function isOfDevice(error: unknown): error is LarmorError {
  return error instanceof LarmorError && (error.code === 'ERR_OUT_OF_MEMORY' || error.code === 'ERR_DEVICE');
}

/** The warning of a slice that the CPU took over. */
export const computedOnCpu = ({ message }: LarmorError): string =>
  `computed on the CPU, as the device chosen automatically could not: ${message}`;
