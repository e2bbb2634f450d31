// What `larmor doctor` says of devices: the CPU, each CUDA device with what it needs, and where networks can run.
import { type DeviceKind, probeDevice } from '../runtime/devices.js';
import { type Check, messageOf } from './check.js';

/** Never rejects: a device that cannot be looked at is one that does not work. */
export async function deviceChecks(): Promise<Check[]> {
  const cpu: Check = { name: 'device cpu', ok: true, needed: true, detail: 'always there' };
  return [cpu, ...(await cudaChecks()), await cudaNetworks(), await networks('webgpu')];
}

/** Driver and plugin, then each device. */
async function cudaChecks(): Promise<Check[]> {
  const check = { name: 'device cuda', needed: false };
  try {
    const { openCuda } = await import('../cuda/plugin.js');
    const { failed, reason, remedy, path, devices } = await openCuda();
    if (failed !== '') return [{ ...check, ok: false, detail: reason, remedy }];
    const found = `plugin ${path}, ${devices} ${devices === 1 ? 'device' : 'devices'}`;
    const each = Array.from({ length: devices }, (_, index) => cudaDevice(index));
    return [{ ...check, ok: true, detail: found }, ...(await Promise.all(each))];
  } catch (error) {
    return [{ ...check, ok: false, detail: messageOf(error) }];
  }
}

async function cudaDevice(index: number): Promise<Check> {
  const check = { name: `device cuda:${index}`, needed: false };
  const { cudaFault, describeCuda, describeCudaDevice } = await import('../cuda/plugin.js');
  try {
    const device = await describeCudaDevice(index);
    const fault = await cudaFault(index);
    const { driverVersion, cufftVersion, memoryFree } = device;
    const software = `driver for CUDA ${version(driverVersion, 10)}, ${cufft(cufftVersion)}`;
    const memory = `${(memoryFree / 2 ** 30).toFixed(1)} GiB free`;
    const detail = `${describeCuda(device)}, ${memory}, ${software}, ${fault ?? 'self-test passed'}`;
    return { ...check, ok: fault === undefined, detail, remedy: 'nvidia-smi; a newer driver where it sees no fault' };
  } catch (error) {
    return { ...check, ok: false, detail: messageOf(error), remedy: 'nvidia-smi' };
  }
}

/** Few sizes need it, so that its absence is told and no fault. */
function cufft(number: number): string {
  if (number > 0) return `cuFFT ${version(number, 100)}`;
  const file = process.env.LARMOR_CUFFT;
  const named = file ? ` (LARMOR_CUFFT is ${file})` : '';
  return `no cuFFT${named}, without which sizes above 4096 or with a prime factor above 31 fail`;
}

/** 13020 is 13.2 where minor versions count in tens, as CUDA's do; 11303 is 11.3 where they count in hundreds, as cuFFT's. */
function version(number: number, minor: number): string {
  return `${Math.floor(number / 1000)}.${Math.floor((number % 1000) / minor)}`;
}

/** Its provider first: what to install for it does not depend on a device, which may be missing too. */
async function cudaNetworks(): Promise<Check> {
  try {
    const [{ openCuda }, { cudaProviderFault }] = await Promise.all([
      import('../cuda/plugin.js'),
      import('../runtime/cuda-provider.js'),
    ]);
    const { failed } = await openCuda();
    const fault = failed === 'platform' ? undefined : await cudaProviderFault(0);
    if (!fault) return await networks('cuda');
    return { name: 'networks on cuda', ok: false, needed: false, detail: fault.reason, remedy: fault.remedy };
  } catch (error) {
    return { name: 'networks on cuda', ok: false, needed: false, detail: messageOf(error) };
  }
}

/** Whether ONNX Runtime can run networks there. */
async function networks(kind: DeviceKind): Promise<Check> {
  const probe = await probeDevice(kind, 'networks');
  const check = { name: `networks on ${kind}`, needed: false };
  if (probe.available) return { ...check, ok: true, detail: probe.description };
  return { ...check, ok: false, detail: probe.reason, remedy: probe.remedy };
}
