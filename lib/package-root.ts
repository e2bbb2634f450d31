// Where this package lies on disk.
import { fileURLToPath } from 'node:url';

/** Root folder of the package: holds native/, models/, prebuilds/. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url));
