/** `migrate`: brings the database's schema up to date. Two at once are safe. */
import type { Config } from '../config/config.ts';
import { migrate as migrateDatabase } from '../database/migrate.ts';

/** Exit code 0; throws when a migration failed. */
export async function migrate(config: Config): Promise<number> {
  await migrateDatabase(config.database.url);
  return 0;
}
