// Finds a Vulkan driver for the tests on WebGPU without downloading one. Run as a program it says which, or ends with code 3 and the reason.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Folders in which browsers and npm's packages of them keep SwiftShader, with Vulkan's loader beside it. */
const FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/usr/lib64/chromium-browser', '/opt/google/chrome'];

/** Environment variables that let a process find a driver, or the reason why there is none. */
export async function findDriver() {
  const { LARMOR_VULKAN, LD_LIBRARY_PATH } = process.env;
  const { vulkanDriverFiles } = await import('../../dist/runtime/webgpu-drivers.js');
  const own = LARMOR_VULKAN === undefined ? vulkanDriverFiles() : [];
  if (own.length > 0) return { driver: own.join(', '), environment: {} };
  for (const folder of LARMOR_VULKAN === undefined ? FOLDERS : [LARMOR_VULKAN]) {
    const file = join(folder, 'vk_swiftshader_icd.json');
    if (!existsSync(file) || !existsSync(join(folder, 'libvulkan.so.1'))) continue;
    const path = LD_LIBRARY_PATH ? `${folder}:${LD_LIBRARY_PATH}` : folder;
    return { driver: file, environment: { LD_LIBRARY_PATH: path, VK_DRIVER_FILES: file } };
  }
  const folders = LARMOR_VULKAN ?? FOLDERS.join(', ');
  return {
    reason: `no Vulkan driver installed, and no SwiftShader (vk_swiftshader_icd.json, libvulkan.so.1) in ${folders}`,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { driver, reason } = await findDriver();
  console.log(driver ?? reason);
  process.exitCode = driver ? 0 : 3;
}
