import { describe, expect, test } from 'vitest';
import {
  availableDevices,
  type Device,
  type DeviceRequest,
  parseDevice,
  resolveDevice,
} from '#larmor/runtime/devices.js';

const networks: DeviceRequest = { who: 'test', task: 'networks' };

test('the CPU is always there, and what is not says why', async () => {
  const devices = await availableDevices();
  expect(devices.map(({ device }) => device)).toEqual(['cuda', 'webgpu', 'cpu']);
  expect(devices.at(-1)?.unavailable).toBeUndefined();
  for (const { device, unavailable } of devices) {
    if (unavailable === undefined) continue;
    await expect(resolveDevice(device, networks)).rejects.toThrow(expect.objectContaining({ code: 'ERR_DEVICE' }));
    await expect(resolveDevice(device, networks)).rejects.toThrow(unavailable);
  }
});

test('names are cpu, webgpu, cuda and cuda with a number', () => {
  expect(parseDevice('cpu')).toEqual({ kind: 'cpu', index: undefined });
  expect(parseDevice('cuda')).toEqual({ kind: 'cuda', index: undefined });
  expect(parseDevice('cuda:0')).toEqual({ kind: 'cuda', index: 0 });
  expect(parseDevice('cuda:12')).toEqual({ kind: 'cuda', index: 12 });
  for (const name of ['cuda:', 'cuda:-1', 'cuda:x', 'cuda:1.5', 'cpu:0', 'webgpu:1', 'gpu', 'CUDA', '', 'auto'])
    expect(parseDevice(name)).toBeUndefined();
});

describe('the choice', () => {
  test('of one asked for', async () => {
    const cpu = { kind: 'cpu', name: 'cpu', indices: [0], reason: 'asked for', automatic: false };
    expect(await resolveDevice('cpu', networks)).toEqual(cpu);
  });

  test('of the CPU where nothing faster suits the work, with the reasons', async () => {
    const device = await resolveDevice('auto', { who: 'method m', task: 'operators', kinds: ['cpu'] });
    expect(device).toMatchObject({ kind: 'cpu', name: 'cpu', automatic: true });
    expect(device.reason).toBe('cuda: method m does not run there; webgpu: method m does not run there');
  });

  test('refuses a device that does not suit the work, and unknown names', async () => {
    const request: DeviceRequest = { who: 'method m', task: 'operators', kinds: ['cpu'] };
    await expect(resolveDevice('cuda:1', request)).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_DEVICE',
        message: 'method m: device cuda:1 is not available: method m runs on cpu only. Use "cpu" or "auto".',
      }),
    );
    await expect(resolveDevice('tpu' as Device, networks)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringContaining('cuda:N') }),
    );
  });
});
