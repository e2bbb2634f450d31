// Where ONNX Runtime's library lies and which version it is.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { runJob } from '../jobs.js';

const FILES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

/**
 * Path of the library: what the environment variable LARMOR_ONNXRUNTIME names; or the one beside the CUDA provider that
 * LARMOR_ONNXRUNTIME_CUDA names, by its file or folder, as a provider works with the library of its own release only; or that of the
 * package onnxruntime-node.
 *
 * @throws LarmorError `ERR_RUNTIME_MISSING` naming the remedy when the package is not installed.
 */
export function runtimeLibrary(): string {
  if (process.env.LARMOR_ONNXRUNTIME) return process.env.LARMOR_ONNXRUNTIME;
  const file = FILES[process.platform];
  if (file === undefined)
    throw new LarmorError('ERR_RUNTIME_MISSING', `larmor: onnxruntime-node has no library for ${process.platform}`);
  if (process.env.LARMOR_ONNXRUNTIME_CUDA) return besideProvider(process.env.LARMOR_ONNXRUNTIME_CUDA, file);
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
    return join(folder, 'bin', 'napi-v6', process.platform, process.arch, file);
  } catch (cause) {
    throw new LarmorError(
      'ERR_RUNTIME_MISSING',
      'larmor: the package onnxruntime-node is not installed. Run "ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node" ' +
        '(npm leaves it out in silence when its download of GPU files fails), or set LARMOR_ONNXRUNTIME to the path of an ONNX Runtime library.',
      { cause },
    );
  }
}

/** @throws LarmorError `ERR_RUNTIME_MISSING` where the provider's folder does not hold the library. */
function besideProvider(provider: string, file: string): string {
  const folder = provider.endsWith('.so') ? dirname(provider) : provider;
  const library = join(folder, file);
  if (existsSync(library)) return library;
  throw new LarmorError(
    'ERR_RUNTIME_MISSING',
    `larmor: LARMOR_ONNXRUNTIME_CUDA is ${provider}, but there is no ${file} in ${folder}. A provider works with the library of its own release ` +
      'only: name the folder of a whole release of ONNX Runtime for CUDA, or copy the provider beside the library that "larmor doctor" names.',
  );
}

/**
 * Loads ONNX Runtime and says which version it is, such as "1.30.0".
 *
 * @throws LarmorError `ERR_RUNTIME_MISSING` when it is not installed, cannot be loaded or is too old.
 */
export async function runtimeVersion(): Promise<string> {
  const library = runtimeLibrary();
  return runJob(1, {}, (control) => binding.openRuntime(control, library));
}
