// What gpu/check runs: programs of their own, each with a time limit, that print the lines of lines.mjs.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Every part: `command`, or `missing` with the reason why there is none. */
export function parts({ quick, exchange }) {
  const checker = process.env.LARMOR_CUDA_CHECKER ?? join(root, 'build-cuda/plugin/larmor_cuda_check');
  const plugin = process.env.LARMOR_CUDA_PLUGIN ?? join(root, 'build-cuda/plugin/liblarmor_cuda.so');
  const unbuilt = [checker, plugin].filter((file) => !existsSync(file));
  const native = (...options) =>
    unbuilt.length > 0
      ? { missing: `${unbuilt.join(' and ')} not there: npm run build:cuda` }
      : { command: [checker, plugin, ...options] };
  const sanitizer = onPath('compute-sanitizer', ['/usr/local/cuda/bin', '/opt/cuda/bin']);
  const sanitized = (tool, ...options) => {
    const { missing, command } = native('--small');
    if (missing) return { missing };
    if (!sanitizer) return { missing: 'compute-sanitizer is neither on PATH nor in /usr/local/cuda/bin' };
    return { command: [sanitizer, '--tool', tool, '--error-exitcode', '9', ...options, ...command] };
  };
  const program = (file, ...options) => ({ command: [process.execPath, join(root, 'gpu', file), ...options] });
  const python = onPath('python3');
  const all = [
    { name: 'kernels', title: 'Kernels against the processor', seconds: 120, ...native(...(quick ? ['--small'] : [])) },
    { name: 'recon', title: 'Reconstruction on CUDA', seconds: 100, ...program('recon.mjs') },
    { name: 'adaptation-webgpu', title: 'Adaptation on WebGPU', seconds: 60, ...program('adaptation.mjs', 'webgpu') },
    { name: 'adaptation-cuda', title: 'Adaptation on CUDA', seconds: 60, ...program('adaptation.mjs', 'cuda') },
    {
      name: 'speed',
      title: 'Speed of the kernels',
      seconds: 60,
      ...native(
        '--bench',
        '--save',
        exchange,
        ...(quick ? ['--extent', '1x1x6x160x92', '--slices', '4', '--seconds', '1'] : []),
      ),
    },
    {
      name: 'training-webgpu',
      title: 'Training on WebGPU',
      seconds: 90,
      ...program('training.mjs', 'webgpu', exchange),
    },
    { name: 'training-cuda', title: 'Training on CUDA', seconds: 60, ...program('training.mjs', 'cuda', exchange) },
    {
      name: 'peers',
      title: 'PyTorch and CuPy',
      seconds: 200,
      ...(python
        ? {
            command: [
              python,
              join(root, 'gpu/peers.py'),
              exchange,
              ...(quick ? ['6', '160', '92'] : ['15', '640', '368']),
            ],
          }
        : { missing: 'python3 is not on PATH' }),
    },
  ];
  const tools = [
    {
      name: 'memcheck',
      title: 'Leaks and stray accesses',
      seconds: 60,
      ...sanitized('memcheck', '--leak-check', 'full'),
    },
    { name: 'racecheck', title: 'Races in shared memory', seconds: 60, ...sanitized('racecheck') },
    { name: 'initcheck', title: 'Reads before writes', seconds: 45, ...sanitized('initcheck') },
    { name: 'synccheck', title: 'Barriers', seconds: 45, ...sanitized('synccheck') },
  ];
  const left = quick
    ? ['kernels', 'recon', 'adaptation-webgpu', 'adaptation-cuda', 'speed']
    : all.map(({ name }) => name);
  return [...all.filter(({ name }) => left.includes(name)), ...(quick ? [] : tools)];
}

/** The path of a program; undefined where there is none. */
function onPath(name, more = []) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...more];
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
