import { expect, test } from 'vitest';
import { availableDevices, type Device, resolveDevice } from '#larmor/runtime/devices.js';

test('the CPU is always there, and what is not says why', () => {
  expect(availableDevices()).toContainEqual({ device: 'cpu' });
  for (const { device, unavailable } of availableDevices().slice(1)) {
    expect(() => resolveDevice(device)).toThrow(expect.objectContaining({ code: 'ERR_DEVICE' }));
    expect(() => resolveDevice(device)).toThrow(unavailable);
  }
});

test('auto falls back to the CPU with the reasons', () => {
  expect(resolveDevice('cpu').device).toBe('cpu');
  expect(resolveDevice('auto')).toEqual({ device: 'cpu', reason: expect.stringMatching(/cuda.*webgpu/) });
  expect(() => resolveDevice('tpu' as Device)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});
