// The package's own source files, for tests that hold the code to its rules.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../..');

/** A source file: its path from the repository's root, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every file under these folders whose name ends so; folders that do not exist count as empty. */
export function sourceFiles(folders: readonly string[], endings: RegExp): SourceFile[] {
  return folders.flatMap((folder) => walk(folder, endings)).map((path) => ({ path, text: read(path) }));
}

/** Text of a file given by its path from the repository's root. */
export function read(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

function walk(folder: string, endings: RegExp): string[] {
  try {
    return readdirSync(join(repository, folder), { withFileTypes: true })
      .flatMap((entry) => {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return walk(path, endings);
        return endings.test(entry.name) ? [path] : [];
      })
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
