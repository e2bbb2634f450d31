// `larmor doctor`: what this installation has, and what to type where something is missing.
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import type { LarmorError } from '../errors.js';
import { packageRoot } from '../package-root.js';
import { type Check, messageOf } from './check.js';
import { deviceChecks } from './device-checks.js';
import { EXIT } from './failures.js';
import type { Outcome, Register } from './shell.js';
import { table } from './text.js';

export const register: Register = (program, shell) => {
  program
    .command('doctor')
    .description('check this installation')
    .action(() => shell.run(diagnose));
};

async function diagnose(): Promise<Outcome> {
  const checks = [node(), await addon(), await onnxRuntime(), ...(await deviceChecks()), await hdf5(), models()];
  const ok = checks.every((check) => check.ok || !check.needed);
  return { json: { ok, checks }, text: describe(checks, ok), exitCode: ok ? EXIT.done : EXIT.failed };
}

function describe(checks: readonly Check[], ok: boolean): string {
  const mark = ({ ok, needed }: Check): string => (ok ? 'ok' : needed ? 'MISSING' : '-');
  const rows = checks.map((check) => [mark(check), check.name, check.detail]);
  const remedies = checks.flatMap(({ ok, name, remedy }) => (ok || !remedy ? [] : [`${name}: ${remedy}`]));
  const closing = ok ? 'Everything needed is there.' : 'Something needed is missing.';
  return [table(rows), closing, ...remedies].join('\n');
}

function node(): Check {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return {
    name: 'Node',
    ok: major > 20 || (major === 20 && minor >= 19),
    needed: true,
    detail: `${process.versions.node} on ${process.platform}-${process.arch}, ${availableParallelism()} processors`,
    remedy: 'install Node 20.19 or newer',
  };
}

async function addon(): Promise<Check> {
  const check = { name: 'native addon', needed: true };
  try {
    const { isa, threads } = (await import('../binding.js')).binding.platform();
    return { ...check, ok: true, detail: `instruction set ${isa}, ${threads} threads` };
  } catch (error) {
    return {
      ...check,
      ok: false,
      detail: messageOf(error),
      remedy: packageRoot.includes('node_modules')
        ? 'npm rebuild larmor (npm 12: first "npm install-scripts approve larmor")'
        : 'npm run build:native',
    };
  }
}

async function onnxRuntime(): Promise<Check> {
  const check = { name: 'ONNX Runtime', needed: true };
  try {
    return { ...check, ok: true, detail: await (await import('../runtime/library.js')).runtimeVersion() };
  } catch (error) {
    if ((error as LarmorError).code === 'ERR_NATIVE_MISSING')
      return { ...check, ok: false, detail: 'not checked: the native addon loads it' };
    return {
      ...check,
      ok: false,
      detail: messageOf(error),
      remedy: onnxRuntimeRemedy(),
    };
  }
}

/** Where a variable names the library, the package of that name is not even looked for. */
function onnxRuntimeRemedy(): string {
  for (const name of ['LARMOR_ONNXRUNTIME', 'LARMOR_ONNXRUNTIME_CUDA'])
    if (process.env[name]) return `unset ${name}, which is ${process.env[name]}, or set it to what is there`;
  return `ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@${wantedOnnxRuntime()}`;
}

function wantedOnnxRuntime(): string {
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  return manifest.optionalDependencies['onnxruntime-node'];
}

async function hdf5(): Promise<Check> {
  const check = { name: 'HDF5 reader', needed: true };
  try {
    const { default: h5wasm } = await import('h5wasm/node');
    await h5wasm.ready;
    return { ...check, ok: true, detail: 'h5wasm' };
  } catch (error) {
    return { ...check, ok: false, detail: messageOf(error), remedy: 'npm install h5wasm' };
  }
}

function models(): Check {
  const folder = join(packageRoot, 'models');
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  } catch {
    // No folder means no models, which the check reports.
  }
  return {
    name: 'bundled models',
    ok: names.length > 0,
    needed: false,
    detail: names.map((name) => basename(name, '.safetensors')).join(', ') || `none in ${folder}`,
    remedy: 'reinstall larmor, or give --model a .safetensors file',
  };
}
