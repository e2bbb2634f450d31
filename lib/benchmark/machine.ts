// What this machine can do at most, measured: the ceilings that kernels are held against.
import { cpus } from 'node:os';
import { binding } from '../binding.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';

export interface Machine {
  /** As the processor names itself. */
  readonly cpu: string;
  readonly processors: number;
  /** Instruction set the native code runs with. */
  readonly isa: 'baseline' | 'avx2' | 'avx512';
  readonly node: string;
  readonly threads: number;
  /** Floating-point operations per second of multiply-adds in registers, two each, on all threads. */
  readonly multiplyAddPeak: number;
}

export async function measureMachine(options: RunOptions = {}): Promise<Machine> {
  const threads = threadCount(options);
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    processors: processors.length,
    isa: binding.platform().isa,
    node: process.versions.node,
    threads,
    multiplyAddPeak: await runJob(1, options, (control) => binding.multiplyAddPeak(control, threads)),
  };
}

/** Bytes read and written per second while `bytes` are copied: what fits a cache is copied faster. */
export function copyBandwidth(bytes: number, options: RunOptions = {}): Promise<number> {
  const threads = threadCount(options);
  return runJob(1, options, (control) => binding.copyBandwidth(control, bytes, threads));
}
