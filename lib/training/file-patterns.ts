// Paths with * for any characters of a name, as lists of files.
import { readdir } from 'node:fs/promises';
import { join, normalize, parse, sep } from 'node:path';
import { LarmorError } from '../errors.js';

/** Whether a name is what `pattern` says, `*` standing for any characters. */
export function matches(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/**
 * The files of a list of paths, in its order. A part of a path with `*` stands for all names that it matches, in their order; names that
 * start with a dot are matched by patterns that do.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND` naming a pattern that matches nothing. Paths without `*` are not looked for.
 */
export async function expandPaths(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = path.includes('*') ? await expand(path) : [path];
    if (found.length === 0) throw new LarmorError('ERR_FILE_NOT_FOUND', `no file is called ${path}`);
    files.push(...found);
  }
  return files;
}

async function expand(pattern: string): Promise<string[]> {
  const { root } = parse(pattern);
  let found = [root];
  for (const part of normalize(pattern).slice(root.length).split(sep)) {
    const next: string[] = [];
    for (const folder of found) {
      if (!part.includes('*')) next.push(join(folder, part));
      else for (const name of await names(folder, part)) next.push(join(folder, name));
    }
    found = next;
  }
  return found;
}

/** What of a folder matches; of what is no folder, nothing. */
async function names(folder: string, pattern: string): Promise<string[]> {
  const entries = await readdir(folder || '.').catch(() => []);
  return entries.filter((name) => matches(name, pattern) && (!name.startsWith('.') || pattern.startsWith('.'))).sort();
}
