/** Loads an engine by its key. Only what is asked for is imported, so that no engine's code is in another one's process. */
import type { EngineKey, EngineLoader } from './engine.ts';

const LOADERS: Readonly<Record<EngineKey, () => Promise<EngineLoader>>> = {
  ours: async () => (await import('./ours.ts')).loadOurs,
  ours_matching: async () => (await import('./ours.ts')).loadOursMatching,
  plain_loop: async () => (await import('./plain-loop.ts')).loadPlainLoop,
  json_rules_engine: async () => (await import('./json-rules.ts')).loadJsonRules,
  zen_engine: async () => (await import('./zen.ts')).loadZen,
};

/** The loader of an engine. */
export async function engineLoader(key: EngineKey): Promise<EngineLoader> {
  return await LOADERS[key]();
}
