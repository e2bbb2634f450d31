// Builds the reference CUDA plugin and stand-ins for the driver's library and ONNX Runtime's CUDA provider, once per version of their sources.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { runtimeLibrary } from '#larmor/runtime/library.js';

const root = resolve(import.meta.dirname, '../..');
const SOURCES = [
  'test/native/reference_plugin.cc',
  'test/native/cuda_provider_stand_in.cc',
  ...['encoding', 'espirit', 'network', 'physics', 'vectors'].map((part) => `test/native/reference_${part}.h`),
  'native/cuda/plugin.h',
  'native/ort/api.h',
].map((path) => join(root, path));
const PLUGIN = 'liblarmor_cuda.so';
const RUNTIME = 'libonnxruntime.so.1';

/** Compiles without whatever the test process itself was started under, such as a sanitizer. */
async function compile(args: readonly string[]): Promise<void> {
  const compiler = process.env.CXX ?? 'g++';
  const env = { ...process.env, LD_PRELOAD: '' };
  await promisify(execFile)(compiler, ['-shared', '-fPIC', ...args], { env }).catch((cause) => {
    throw new Error(`these tests need a C++ compiler, and ${compiler} failed: ${cause.message}`, { cause });
  });
}

async function build(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) hash.update(readFileSync(source));
  const cache = join(root, 'node_modules', '.cache', 'larmor-tests');
  const folder = join(cache, hash.digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'building-'));
  const [plugin, runtime] = SOURCES;
  const options = ['-std=c++20', '-O2', '-fvisibility=hidden', '-I', join(root, 'native')];
  await compile([...options, plugin, '-o', join(fresh, PLUGIN)]);
  await compile([...options, runtime, '-o', join(fresh, RUNTIME)]);
  await compile(['-x', 'c', '/dev/null', '-Wl,-soname,libcuda.so.1', '-o', join(fresh, 'libcuda.so.1')]);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(fresh, { recursive: true }); // another test process was faster
  }
  return folder;
}

let building: Promise<string> | undefined;

/** Environment of a process that finds a driver and the reference plugin; `settings` make the plugin fail. */
export async function referenceCuda(settings: NodeJS.ProcessEnv = {}): Promise<NodeJS.ProcessEnv> {
  building ??= build();
  const folder = await building;
  return { ...process.env, LARMOR_CUDA_PLUGIN: join(folder, PLUGIN), LD_LIBRARY_PATH: folder, ...settings };
}

/** The same with a CUDA provider in ONNX Runtime, so that networks run there too; settings of the stand-in make it fail. */
export async function networksOnCuda(settings: NodeJS.ProcessEnv = {}): Promise<NodeJS.ProcessEnv> {
  const env = await referenceCuda(settings);
  return {
    ...env,
    LARMOR_ONNXRUNTIME: join(String(env.LD_LIBRARY_PATH), RUNTIME),
    STAND_IN_ONNXRUNTIME: runtimeLibrary(),
  };
}
