// Every command of the `larmor` program, loaded only when asked for.
import type { Register } from './shell.js';

/** Command name to the file that registers it; the order is that of the help text. */
export const commands: Readonly<Record<string, () => Promise<{ register: Register }>>> = {
  info: () => import('./info.js'),
  mask: () => import('./mask.js'),
  maps: () => import('./maps.js'),
  recon: () => import('./recon.js'),
  snr: () => import('./snr.js'),
  evaluate: () => import('./evaluate.js'),
  train: () => import('./train.js'),
  study: () => import('./study.js'),
  import: () => import('./import.js'),
  export: () => import('./export.js'),
  simulate: () => import('./simulate.js'),
  bench: () => import('./bench.js'),
  doctor: () => import('./doctor.js'),
};
