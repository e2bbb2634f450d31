// How WebGPU is found, or found missing, on a machine without a driver that works.
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveDevice } from '#larmor/runtime/devices.js';
import { vulkanDriverFiles } from '#larmor/runtime/webgpu-drivers.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const file = temporaryFolder();

test('drivers are the files that are listed, else those of the folders', () => {
  const data = file('share');
  const installed = join(data, 'vulkan', 'icd.d', 'radeon_icd.json');
  mkdirSync(dirname(installed), { recursive: true });
  writeFileSync(installed, '{}');
  writeFileSync(join(dirname(installed), 'notes.txt'), '');
  const environment = { XDG_DATA_HOME: data, XDG_DATA_DIRS: file('none') };
  expect(vulkanDriverFiles(environment)).toContain(installed);
  expect(vulkanDriverFiles(environment).every((path) => path.endsWith('.json'))).toBe(true);
  const own = file('lvp_icd.x86_64.json');
  writeFileSync(own, '{}');
  expect(vulkanDriverFiles({ ...environment, VK_DRIVER_FILES: [own, file('missing.json')].join(delimiter) })).toEqual([
    own,
  ]);
});

test.skipIf(process.platform !== 'linux')(
  'a driver that does not load is found out in a process of its own',
  async () => {
    const driver = file('broken_icd.json');
    writeFileSync(
      driver,
      JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: file('none.so'), api_version: '1.1.0' } }),
    );
    process.env.VK_DRIVER_FILES = driver;
    await expect(resolveDevice('webgpu', { who: 'test', task: 'networks' })).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_DEVICE',
        message: expect.stringContaining('Failed to get a WebGPU adapter'),
      }),
    );
  },
);
