// Works on the CUDA devices of its process, beside the CPU, and prints what came of it as JSON. Argument: the name of a part.
import { setTimeout as delay } from 'node:timers/promises';
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { espirit } from '#larmor/calibration/espirit.js';
import { CudaContext } from '#larmor/cuda/context.js';
import { DeviceEncoding } from '#larmor/cuda/encoding.js';
import { deviceEspirit } from '#larmor/cuda/espirit.js';
import { deviceFft2, deviceIfft2 } from '#larmor/cuda/fft2.js';
import { openCuda, probeCuda } from '#larmor/cuda/plugin.js';
import { deviceCgSense, deviceDataConsistency } from '#larmor/cuda/sense.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { fft2, ifft2 } from '#larmor/operators/fft2.js';
import { resolveDevice } from '#larmor/runtime/devices.js';
import { cgSense, dataConsistency } from '#larmor/solvers/sense.js';
import { MASKS, misfit, noise, problems, SIZE } from './cuda-problems.mjs';

/** Opens a device for `work`, and lets go at the end of what it was told to keep. */
async function onCuda(work) {
  const cuda = await CudaContext.open();
  const kept = [];
  const keep = (resource) => {
    kept.push(resource);
    return resource;
  };
  try {
    const result = await work(cuda, keep);
    for (const resource of kept) resource[Symbol.dispose]();
    const { arrays: left, arrayBytes, peakBytes } = await cuda.memory();
    return { ...result, left, arrayBytes, peakBytes };
  } finally {
    await cuda.close();
  }
}

const codeOf = async (work) => {
  try {
    await work();
    return 'none';
  } catch (error) {
    return error.code ?? String(error);
  }
};

const operators = () =>
  onCuda(async (cuda, keep) => {
    const misfits = {};
    const x = noise([2, 3, SIZE.ny, SIZE.nx]);
    const onDevice = keep(await cuda.upload(x));
    misfits.fft2 = misfit(await keep(await deviceFft2(onDevice)).download(), await fft2(x));
    misfits.ifft2 = misfit(await keep(await deviceIfft2(onDevice)).download(), await ifft2(x));
    for (const [name, maskShape] of Object.entries(MASKS)) {
      const all = problems(2, 2, maskShape);
      const A = keep(await DeviceEncoding.upload(cuda, all));
      const images = all.map(() => noise([2, SIZE.ny, SIZE.nx]));
      const image = keep(await A.uploadImages(images));
      const kspace = keep(await A.uploadKspace(all.map((problem) => problem.kspace)));
      for (const method of ['forward', 'adjoint', 'normal']) {
        const { data } = await keep(await A[method](method === 'adjoint' ? kspace : image)).download();
        const length = data.length / 2;
        for (const [i, problem] of all.entries()) {
          const operator = new EncodingOperator(problem);
          const apply = operator[method === 'forward' ? 'apply' : method].bind(operator);
          const truth = await apply(method === 'adjoint' ? problem.kspace : images[i]);
          const part = { data: data.subarray(i * length, (i + 1) * length) };
          misfits[`${name} ${method} ${i}`] = misfit(part, truth);
        }
      }
    }
    return { misfits, device: cuda.device, name: cuda.name };
  });

const solvers = () =>
  onCuda(async (cuda) => {
    const rows = [];
    for (const [name, maskShape] of Object.entries(MASKS)) {
      const sets = name === 'lines' ? 1 : 2;
      const all = problems(3, sets, maskShape);
      const sense = { lambda: 0.05, maxIterations: 40, tolerance: 1e-4 };
      const final = { mu: 0.1, iterations: 4 };
      const images = all.map(() => noise([sets, SIZE.ny, SIZE.nx]));
      const results = await deviceCgSense(cuda, all, sense);
      const consistent = await deviceDataConsistency(cuda, images, all, final);
      for (const [i, { kspace, ...encoding }] of all.entries()) {
        const truth = await cgSense(kspace, encoding, sense);
        const truthConsistent = await dataConsistency(images[i], kspace, encoding, final);
        const { x, iterations, residual, stop } = results[i];
        const expected = { iterations: truth.iterations, stop: truth.stop };
        rows.push({ iterations, stop, expected, residual, shape: x.shape, misfit: misfit(x, truth.x) });
        rows.push({ consistent: misfit(consistent[i].x, truthConsistent.x), iterations: consistent[i].iterations });
      }
    }
    return { rows };
  });

/** K-space of a disc that four coils see from four sides. */
async function discSeenByCoils(n) {
  const images = complexZeros([4, n, n]);
  for (let coil = 0; coil < 4; coil += 1)
    for (let y = 0; y < n; y += 1)
      for (let x = 0; x < n; x += 1) {
        const [u, v] = [(2 * y) / n - 1, (2 * x) / n - 1];
        if (u * u + v * v > 0.6) continue;
        const angle = (coil * Math.PI) / 2;
        const [side, phase] = [u * Math.cos(angle) + v * Math.sin(angle), u * Math.sin(angle) - v * Math.cos(angle)];
        const at = 2 * ((coil * n + y) * n + x);
        images.data[at] = Math.exp(side) * Math.cos(phase);
        images.data[at + 1] = Math.exp(side) * Math.sin(phase);
      }
  return await fft2(images);
}

const maps = () =>
  onCuda(async (cuda) => {
    const kspace = await discSeenByCoils(24);
    const options = { calibrationSize: 16, sets: 2, iterations: 200 };
    const onDevice = await deviceEspirit(cuda, kspace, options);
    const truth = await espirit(kspace, options);
    const { kernel, folded, unexplained } = onDevice;
    const expected = { kernel: truth.kernel, folded: truth.folded, unexplained: truth.unexplained };
    const eigenvalues = misfit(onDevice.eigenvalues, truth.eigenvalues);
    return {
      findings: { kernel, folded, unexplained },
      expected,
      maps: misfit(onDevice.maps, truth.maps),
      eigenvalues,
    };
  });

async function life() {
  const cuda = await CudaContext.open(0);
  const other = await CudaContext.open(1);
  const array = await cuda.upload(noise([4, 4]));
  const stranger = await other.upload(noise([4, 4]));
  const codes = {
    'another context': await codeOf(() => cuda.read(stranger, 0, new Float32Array(32))),
    'beyond the end': await codeOf(() => cuda.read(array, 8, new Float32Array(32))),
    'not finite': await codeOf(() => cuda.upload({ data: new Float32Array([1, NaN]), shape: [1] })),
    'no such shape': await codeOf(() => cuda.upload({ data: new Float32Array(3), shape: [2] })),
    'real transform': await codeOf(async () =>
      deviceFft2(await cuda.upload({ data: new Float32Array(16), shape: [4, 4] })),
    ),
    'aborted before': await codeOf(() => array.download({ signal: AbortSignal.abort() })),
  };
  const underWay = array.download();
  array.free();
  array.free();
  codes['freed under way'] = await codeOf(() => underWay);
  codes['after free'] = await codeOf(() => array.download());
  codes['transform after free'] = await codeOf(() => deviceFft2(array));
  const beforeClose = await cuda.memory();
  await cuda.close();
  await cuda.close();
  codes['after close'] = await codeOf(() => cuda.upload(noise([4])));
  await other.close();
  codes['array of a closed context'] = await codeOf(() => stranger.download());
  stranger.free();
  return { codes, freed: array.freed, left: beforeClose.arrays };
}

/** Arrays that nobody freed go with the garbage. */
const garbage = () =>
  onCuda(async (cuda) => {
    const upload = async () => {
      for (let i = 0; i < 20; i += 1) await cuda.upload(noise([8, 8]));
    };
    await upload();
    const before = (await cuda.memory()).arrays;
    for (let turn = 0; turn < 50 && (await cuda.memory()).arrays > 0; turn += 1) {
      globalThis.gc();
      await delay(5);
    }
    return { before };
  });

const outOfMemory = () =>
  onCuda(async (cuda) => {
    const all = problems(4, 1, [SIZE.nx]);
    const code = await codeOf(() => deviceCgSense(cuda, all));
    const leftThen = (await cuda.memory()).arrays;
    return { code, leftThen, single: await codeOf(() => deviceCgSense(cuda, all.slice(0, 1))) };
  });

/** Ends the process while a context is open, while arrays live, or while a device computes. */
async function exit(stage) {
  const cuda = await CudaContext.open();
  if (stage === 'open') process.exit(0);
  await cuda.upload(noise([8, 8]));
  if (stage === 'with an array') process.exit(0);
  const work = deviceCgSense(cuda, problems(8, 2, MASKS.points), { maxIterations: 200, tolerance: 0 });
  await delay(30);
  if (stage === 'at work') process.exit(0);
  await work;
  return 'left open at the end';
}

async function probe() {
  return {
    state: await openCuda(),
    all: await probeCuda(),
    second: await probeCuda(1),
    resolved: await resolveDevice('cuda', { who: 'test', task: 'operators' }).catch(({ code }) => code),
    open: await codeOf(() => CudaContext.open(0)),
  };
}

const parts = { maps, operators, solvers, life, garbage, outOfMemory, probe, exit };
process.stdout.write(JSON.stringify(await parts[process.argv[2]](process.argv[3])));
