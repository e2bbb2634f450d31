// Tests on WebGPU, apart from the others: they need a Vulkan driver, and minutes where that computes in software.
import { defineConfig } from 'vitest/config';
import { findDriver } from './test/webgpu/find-driver.mjs';

const { driver, environment, reason } = await findDriver();
if (!driver) throw new Error(`tests on WebGPU: ${reason}. LARMOR_VULKAN may name such a folder.`);
console.log(`Vulkan driver: ${driver}`);
// Of this process, so that the processes that run tests start with it.
Object.assign(process.env, environment);

export default defineConfig({
  test: {
    include: ['test/webgpu/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
