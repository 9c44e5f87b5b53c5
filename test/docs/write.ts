import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateDocs, ROOT } from './generate.js';

for (const [path, content] of await generateDocs()) writeFileSync(join(ROOT, path), content);
