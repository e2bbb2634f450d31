// ONNX Runtime's CUDA provider: its options, and what is missing where it does not load.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binding } from '../binding.js';
import type { CudaContext } from '../cuda/context.js';
import { LarmorError } from '../errors.js';
import { runJob } from '../jobs.js';
import { runtimeLibrary } from './library.js';
import type { Provider } from './provider.js';

const PROVIDER_FILES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

const CONVOLUTIONS = { heuristic: 'HEURISTIC', exhaustive: 'EXHAUSTIVE', default: 'DEFAULT' } as const;

/** How graphs are computed on a CUDA device. They concern ONNX Runtime's own operators; larmor's compute in float32 always. */
export interface CudaOptions {
  /** Matrix products and convolutions in TensorFloat-32 where the device can: faster, with 10 bits of mantissa for 23. Default: false. */
  readonly tf32?: boolean | undefined;
  /**
   * How cuDNN finds algorithms for convolutions: by rule, by trying all of them once per shape, or without looking. Trying is slow to start,
   * and what wins may differ from run to run, and so may the last bits of results. Default: heuristic.
   */
  readonly convolution?: keyof typeof CONVOLUTIONS | undefined;
  /** Lets cuDNN choose algorithms that need much memory. Default: true. */
  readonly convolutionWorkspace?: boolean | undefined;
  /** Bytes that ONNX Runtime may take on the device, beside larmor's arrays. Default: no limit. */
  readonly memoryLimit?: number | undefined;
}

/**
 * The options as the provider takes them.
 *
 * @throws LarmorError `ERR_ARGUMENT` for an unknown algorithm search or a limit that is no positive integer.
 */
export function cudaProviderOptions(index: number, options: CudaOptions = {}): Readonly<Record<string, string>> {
  const { tf32 = false, convolution = 'heuristic', convolutionWorkspace = true, memoryLimit } = options;
  if (!Object.hasOwn(CONVOLUTIONS, convolution))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `cuda options: convolution must be one of ${Object.keys(CONVOLUTIONS).join(', ')}, got ${JSON.stringify(convolution)}`,
    );
  if (memoryLimit !== undefined && !(Number.isSafeInteger(memoryLimit) && memoryLimit > 0))
    throw new LarmorError('ERR_ARGUMENT', `cuda options: memoryLimit must be a number of bytes, got ${memoryLimit}`);
  return {
    device_id: String(index),
    use_tf32: tf32 ? '1' : '0',
    cudnn_conv_algo_search: CONVOLUTIONS[convolution],
    cudnn_conv_use_max_workspace: convolutionWorkspace ? '1' : '0',
    // By doubling, the default, a training step would hold up to twice what it needs.
    arena_extend_strategy: 'kSameAsRequested',
    ...(memoryLimit !== undefined && { gpu_mem_limit: String(memoryLimit) }),
  };
}

/** The provider for graphs that compute in a CUDA context. Throws as `cudaProviderOptions`. */
export function cudaProvider(context: CudaContext, index: number, options?: CudaOptions): Provider {
  return { provider: 'CUDA', options: cudaProviderOptions(index, options), context };
}

/** Why a part of larmor cannot be used, and what to do about it. */
export interface Fault {
  readonly reason: string;
  /** What to type. */
  readonly remedy: string;
}

/**
 * What keeps ONNX Runtime from computing on a CUDA device; undefined where nothing does. Loads the provider, off the event loop.
 *
 * @throws LarmorError `ERR_RUNTIME_MISSING`.
 */
export async function cudaProviderFault(index: number): Promise<Fault | undefined> {
  const library = runtimeLibrary();
  const folder = dirname(library);
  const missing = PROVIDER_FILES.filter((file) => !existsSync(join(folder, file)));
  const reason = await runJob(1, {}, (control) => binding.cudaProviderFault(control, library, index));
  if (reason === '') return undefined;
  if (missing.length > 0)
    return {
      reason: `ONNX Runtime's CUDA provider is not installed: no ${missing.join(' and no ')} in ${folder}`,
      remedy: installCommand(folder),
    };
  return {
    reason,
    remedy:
      'install the libraries of CUDA 12 and cuDNN 9 that it names, such as by "python3 -m pip install nvidia-cuda-runtime-cu12 nvidia-cublas-cu12 ' +
      'nvidia-cudnn-cu12 nvidia-cufft-cu12 nvidia-curand-cu12", and set LD_LIBRARY_PATH to their folders',
  };
}

/** How the provider's files come beside the library in `folder`. */
function installCommand(folder: string): string {
  const release =
    "set LARMOR_ONNXRUNTIME_CUDA to the folder of a release of ONNX Runtime for CUDA 12, which holds libonnxruntime.so.1 and its providers' files";
  const root = join(folder, '..', '..', '..', '..');
  const script = join(root, 'script', 'install.js');
  if (!existsSync(script)) return release;
  return `node ${script} --onnxruntime-node-install=cuda12 (needs network), or ${release}`;
}
