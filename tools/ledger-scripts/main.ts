/** Writes `src/ledger/scripts/scripts.gen.ts`. */
import { writeFileSync } from 'node:fs';
import { SCRIPT_DIRECTORY, SCRIPT_MODULE, scriptModule } from './inline.ts';

writeFileSync(SCRIPT_MODULE, scriptModule(SCRIPT_DIRECTORY));
