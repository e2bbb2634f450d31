// Which Vulkan drivers this machine announces, by the files that Vulkan's loader reads.
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Folders that hold one JSON file per driver, as the loader's documentation lists them. */
function driverFolders(environment: NodeJS.ProcessEnv): string[] {
  const { XDG_DATA_HOME = join(homedir(), '.local', 'share'), XDG_DATA_DIRS = '/usr/local/share:/usr/share' } =
    environment;
  const data = [XDG_DATA_HOME, ...XDG_DATA_DIRS.split(delimiter)];
  return ['/etc', '/usr/local/etc', ...data].map((folder) => join(folder, 'vulkan', 'icd.d'));
}

/**
 * Files that announce Vulkan drivers: those that VK_DRIVER_FILES (or its older name VK_ICD_FILENAMES) lists, else those in the loader's folders.
 */
export function vulkanDriverFiles(environment: NodeJS.ProcessEnv = process.env): string[] {
  const listed = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  if (listed) return listed.split(delimiter).filter(existsSync);
  return driverFolders(environment).flatMap((folder) => {
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return files.map((name) => join(folder, name));
  });
}
