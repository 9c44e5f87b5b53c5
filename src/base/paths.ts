import { fileURLToPath } from 'node:url';

/** The folder that holds package.json; the same from `src/` and from the built `dist/`. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A file or folder that ships with hx, for example `packagePath('sql', 'catalog')`. */
export function packagePath(...parts: string[]): string {
  return fileURLToPath(new URL(`../../${parts.join('/')}`, import.meta.url));
}
