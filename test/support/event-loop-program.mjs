// How late the event loop runs, in milliseconds: node event-loop-program.mjs recon SCAN OPTIONS, or train CONFIG.
// Without arguments: while nothing is done, until stdin ends.
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createNetwork } from '#larmor/networks/network.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { parseTrainingConfig, prepareDataset, trainingPlan } from '#larmor/training/config.js';
import { train } from '#larmor/training/trainer.js';

const WORK = {
  recon: (scan, options) => reconstruct(scan, JSON.parse(options)),
  train: async (text) => {
    const config = parseTrainingConfig(JSON.parse(text));
    const { kind, ...settings } = config.network;
    const training = await prepareDataset(config, config.training);
    return train({ network: createNetwork(kind, settings), plan: trainingPlan(config), training });
  },
  idle: () => once(process.stdin.resume(), 'end'),
};

const [work = 'idle', ...args] = process.argv.slice(2);
const PERIOD_MS = 10;
const delay = monitorEventLoopDelay({ resolution: PERIOD_MS });
delay.enable();
await WORK[work](...args);
delay.disable();
console.log(JSON.stringify({ p99: delay.percentile(99) / 1e6 - PERIOD_MS, ticks: delay.count }));
