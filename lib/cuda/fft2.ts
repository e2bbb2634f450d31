// Centred unitary Fourier transforms on a CUDA device.
import { formatShape, points } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import type { DeviceArray } from './device-array.js';

/**
 * The centred unitary transform of complex images [..., y, x] along their last two axes, a new array on the same device.
 *
 * Queued, not waited for: what fails on the device shows when something is downloaded.
 *
 * @throws LarmorError `ERR_SHAPE` for a real array or fewer than two axes; `ERR_CLOSED`; `ERR_OUT_OF_MEMORY`.
 */
export function deviceFft2(x: DeviceArray, options: Pick<RunOptions, 'signal'> = {}): Promise<DeviceArray> {
  return transform('deviceFft2', false, x, options);
}

/** The inverse, which is the adjoint, of `deviceFft2`. */
export function deviceIfft2(x: DeviceArray, options: Pick<RunOptions, 'signal'> = {}): Promise<DeviceArray> {
  return transform('deviceIfft2', true, x, options);
}

async function transform(
  who: string,
  inverse: boolean,
  x: DeviceArray,
  options: Pick<RunOptions, 'signal'>,
): Promise<DeviceArray> {
  const { context, shape } = x;
  if (x.kind !== 'complex' || shape.length < 2)
    throw new LarmorError('ERR_SHAPE', `${who}: x must be complex [..., y, x], got ${x.kind} ${formatShape(shape)}`);
  const input = x.memory(who);
  const [ny, nx] = shape.slice(-2);
  const images = points(shape) / (ny * nx);
  const result = await context.allocate(shape, 'complex', options);
  const output = result.memory(who);
  await context.run(options, (control, handle) =>
    binding.cudaFft2(control, handle, inverse, images, ny, nx, input, output),
  );
  return result;
}
