// How much the thread of the event loop works itself, in processor time, which other programs do not change:
// node event-loop-program.mjs recon SCAN OPTIONS, or train CONFIG.
import { readFileSync } from 'node:fs';
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
};

/** Processor time in milliseconds that the thread of the event loop has taken. */
function loopTime() {
  return Number(readFileSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
}

const [work, ...args] = process.argv.slice(2);
const turns = []; // time from one tick of a timer to the next: at least that of whatever lies between them in one piece
const begin = { loop: loopTime(), all: process.cpuUsage() };
let last = begin.loop;
const timer = setInterval(() => {
  const now = loopTime();
  turns.push(now - last);
  last = now;
}, 10);
await WORK[work](...args);
clearInterval(timer);
const { user, system } = process.cpuUsage(begin.all);
const share = (loopTime() - begin.loop) / ((user + system) / 1000);
turns.sort((a, b) => a - b);
console.log(JSON.stringify({ p99: turns[Math.floor(0.99 * turns.length)], ticks: turns.length, share }));
