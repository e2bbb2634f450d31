// The CUDA plugin: where it is looked for, what came of it, and what to type where something is missing.
import { dirname, join } from 'node:path';
import { addonPath, binding } from '../binding.js';
import type { CudaDevice, CudaOpening } from '../bindings/cuda.js';
import { runJob } from '../jobs.js';
import { packageRoot } from '../package-root.js';

const FILE = 'liblarmor_cuda.so';

/** Where the plugin is looked for, in this order: what LARMOR_CUDA_PLUGIN names and nothing else, or beside the addon, or where it is built. */
function pluginPaths(): string[] {
  if (process.env.LARMOR_CUDA_PLUGIN) return [process.env.LARMOR_CUDA_PLUGIN];
  const folders = [
    dirname(addonPath()),
    join(packageRoot, 'build-cuda', 'plugin'),
    join(packageRoot, 'prebuilds', `${process.platform}-${process.arch}`),
  ];
  return folders.map((folder) => join(folder, FILE));
}

/** What to type where a step failed. What the environment names and is of no use is said with the variable's name. */
function remedyFor(failed: Exclude<CudaOpening['failed'], ''>): string | undefined {
  const plugin = process.env.LARMOR_CUDA_PLUGIN;
  switch (failed) {
    case 'platform':
      return undefined;
    case 'driver':
      return 'install the NVIDIA driver, until "nvidia-smi" lists a GPU';
    case 'plugin':
    case 'version':
      return plugin
        ? `npm run build:cuda (needs nvcc and CMake), and unset LARMOR_CUDA_PLUGIN, which is ${plugin}, or set it to the plugin of this version of larmor`
        : 'npm run build:cuda (needs nvcc and CMake), or set LARMOR_CUDA_PLUGIN to the path of the plugin of this version of larmor';
    case 'devices':
      return 'nvidia-smi, to see what the driver says';
  }
}

/** What came of looking for CUDA. */
export interface CudaState extends CudaOpening {
  /** What to type where it failed. */
  readonly remedy: string | undefined;
}

let opening: Promise<CudaState> | undefined;

/** Looks for driver, plugin and devices, once per process and off the event loop. Does not reject. */
export function openCuda(): Promise<CudaState> {
  opening ??= runJob(1, {}, (control) => binding.openCuda(control, pluginPaths())).then((found) => ({
    ...found,
    remedy: found.failed === '' ? undefined : remedyFor(found.failed),
  }));
  return opening;
}

/** @throws LarmorError `ERR_DEVICE` where there is no such device. */
export async function describeCudaDevice(index: number): Promise<CudaDevice> {
  return await runJob(1, {}, (control) => binding.describeCudaDevice(control, index));
}

/** Why a device computes wrong numbers or none; undefined where it passed its self-test. It is run once per process. */
export async function cudaFault(index: number): Promise<string | undefined> {
  return (await runJob(1, {}, (control) => binding.testCudaDevice(control, index))) || undefined;
}

/** Which CUDA devices work here, or why none does. */
export type CudaProbe =
  | {
      readonly available: true;
      readonly description: string;
      readonly indices: readonly number[];
      readonly leftOut?: string | undefined;
    }
  | { readonly available: false; readonly reason: string; readonly remedy?: string | undefined };

/** Opens CUDA and tests its devices, or the one named only: others may be at work for somebody else. */
export async function probeCuda(index?: number): Promise<CudaProbe> {
  const { failed, reason, remedy, devices } = await openCuda();
  if (failed !== '') return { available: false, reason, remedy };
  if (index !== undefined && index >= devices) return { available: false, reason: cudaNumbers(devices) };
  const candidates = index === undefined ? Array.from({ length: devices }, (_, i) => i) : [index];
  const faults = await Promise.all(candidates.map(cudaFault));
  const indices = candidates.filter((_, i) => faults[i] === undefined);
  const found = faults
    .flatMap((fault, i) => (fault === undefined ? [] : [`cuda:${candidates[i]}: ${fault}`]))
    .join('; ');
  if (indices.length === 0) return { available: false, reason: found };
  const first = describeCuda(await describeCudaDevice(indices[0]));
  const description = indices.length > 1 ? `${indices.length} devices, ${first}` : first;
  return { available: true, description, indices, leftOut: found === '' ? undefined : `without ${found}` };
}

/** Which numbers devices have here, for messages about another one. */
export function cudaNumbers(devices: number): string {
  return devices === 1
    ? 'the only CUDA device here is cuda:0'
    : `the CUDA devices here are cuda:0 to cuda:${devices - 1}`;
}

/** Name, memory and compute capability. */
export function describeCuda({ name, memoryTotal, major, minor }: CudaDevice): string {
  return `${name}, ${(memoryTotal / 2 ** 30).toFixed(1)} GiB, compute capability ${major}.${minor}`;
}
