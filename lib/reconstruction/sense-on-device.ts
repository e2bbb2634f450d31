// CG-SENSE and data consistency of a slice where the reconstruction's device was chosen to be.
import type { ComplexArray } from '../arrays/complex-array.js';
import { deviceCgSense, deviceDataConsistency, type SenseProblem } from '../cuda/sense.js';
import type { SolverResult } from '../solvers/conjugate-gradients.js';
import { type CgSenseOptions, cgSense, type DataConsistencyOptions, dataConsistency } from '../solvers/sense.js';
import type { BatchWork, DevicePool } from './device-pool.js';

/** A solution, with where it was computed and what to warn of. */
export interface PlacedSolution {
  readonly result: SolverResult;
  readonly device: string;
  readonly warnings: readonly string[];
}

/** As `cgSense`. @param devices Undefined: the CPU. */
export async function cgSenseOn(
  devices: DevicePool | undefined,
  problem: SenseProblem,
  options: CgSenseOptions,
): Promise<PlacedSolution> {
  const onDevice: BatchWork<SenseProblem, SolverResult> = (cuda, problems) => deviceCgSense(cuda, problems, options);
  return await place(devices, `cg-sense ${sizes(problem)}`, problem, onDevice, () =>
    cgSense(problem.kspace, problem, options),
  );
}

/** As `dataConsistency`. @param devices Undefined: the CPU. */
export async function dataConsistencyOn(
  devices: DevicePool | undefined,
  image: ComplexArray,
  problem: SenseProblem,
  options: DataConsistencyOptions,
): Promise<PlacedSolution> {
  type Input = SenseProblem & { readonly image: ComplexArray };
  const onDevice: BatchWork<Input, SolverResult> = (cuda, inputs) => {
    const images = inputs.map((input) => input.image);
    return deviceDataConsistency(cuda, images, inputs, options);
  };
  return await place(devices, `data consistency ${sizes(problem)}`, { ...problem, image }, onDevice, () =>
    dataConsistency(image, problem.kspace, problem, options),
  );
}

async function place<Input>(
  devices: DevicePool | undefined,
  key: string,
  input: Input,
  onDevice: BatchWork<Input, SolverResult>,
  onCpu: () => Promise<SolverResult>,
): Promise<PlacedSolution> {
  if (!devices) return { result: await onCpu(), device: 'cpu', warnings: [] };
  const { output: result, ...where } = await devices.runOr(key, input, onDevice, onCpu);
  return { result, ...where };
}

/** What problems must share to be solved side by side. */
function sizes({ maps, mask }: SenseProblem): string {
  return `${maps.shape} ${mask.shape}`;
}
