// Whether ONNX Runtime computes on WebGPU here, found out in a process of its own: drivers can crash the one that starts them.
import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Probe } from './devices.js';
import { vulkanDriverFiles } from './webgpu-drivers.js';

/** Of the self-test: starting a driver and translating some shaders takes a second or two, in software on a busy machine far more. */
const SECONDS = 120;
const SELF_TEST = fileURLToPath(new URL('../graph/webgpu-self-test.js', import.meta.url));

/** What the self-test writes as its last line. */
export interface SelfTestReport {
  /** Why it failed; absent where its numbers were right. */
  readonly reason?: string | undefined;
}

let known: Promise<Probe> | undefined;

/** Looks for a driver and lets it compute a small graph whose numbers are known. Once per process; never rejects. */
export function probeWebgpu(): Promise<Probe> {
  known ??= probe();
  return known;
}

async function probe(): Promise<Probe> {
  // Elsewhere the system itself brings what WebGPU builds upon.
  const drivers = process.platform === 'linux' ? vulkanDriverFiles() : undefined;
  if (drivers?.length === 0) return { available: false, reason: `no Vulkan driver: ${noDriver()}`, remedy: INSTALL };
  const reason = await selfTest();
  if (reason !== undefined) return { available: false, reason, remedy: remedyFor(reason) };
  const names = drivers?.map((file) => basename(file, '.json')).join(', ');
  return {
    available: true,
    description: names === undefined ? 'WebGPU' : `WebGPU over Vulkan (${names})`,
  };
}

const INSTALL =
  "install a Vulkan driver (NVIDIA's comes with its driver for GPUs), or set VK_DRIVER_FILES to the JSON file of one";

/** Where no driver was found. */
function noDriver(): string {
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'])
    if (process.env[name]) return `${name} is ${process.env[name]}, where there is no file`;
  return 'no file in vulkan/icd.d of /etc, /usr/share and the like';
}

/** What to type where the self-test failed. */
function remedyFor(reason: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  if (/libvulkan\.so/.test(reason)) return "install Vulkan's loader, libvulkan.so.1 (Debian: apt install libvulkan1)";
  return 'a newer Vulkan driver, or another one by its JSON file in VK_DRIVER_FILES';
}

/** Undefined where all numbers were right. */
async function selfTest(): Promise<string | undefined> {
  const child = spawn(process.execPath, [SELF_TEST], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 1000 * SECONDS });
  let [output, warnings] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    warnings += chunk;
  });
  const ended = await new Promise<{ code: number | null; signal: string | null } | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  if (ended instanceof Error) return `the self-test did not start: ${ended.message}`;
  const last = output.trim().split('\n').at(-1);
  const [complaint] = warnings.split('\n').flatMap((line) => /^(?:Warning|Error): (.*)/.exec(line)?.[1] ?? []);
  const cause = complaint === undefined ? '' : ` (${complaint})`;
  if (ended.code !== 0 || !last) return `the self-test ended with ${ended.signal ?? `code ${ended.code}`}${cause}`;
  const { reason } = JSON.parse(last) as SelfTestReport;
  return reason === undefined ? undefined : `${reason}${cause}`;
}
