/** The configuration as shown to people: the table of the documentation, and the values of this process. */
import type { Config } from './config.ts';
import type { Variable } from './variable.ts';
import { VARIABLES } from './variables.ts';

/** `docs/configuration.md` as text; a test holds the file to it. */
export function describeConfig(): string {
  const lines = Object.entries(VARIABLES).map(([section, variables]) => {
    const rows = Object.values<Variable<unknown>>(variables).map(describeVariable);
    return [`## ${section}`, '', '| Variable | Default | Meaning |', '|---|---|---|', ...rows, ''].join('\n');
  });
  return `${INTRODUCTION}\n${lines.join('\n')}`;
}

const INTRODUCTION = `# Configuration

This file is generated from \`src/config/variables.ts\`.

Everything is set by environment variables, read once at start. A name with the prefix \`HONGBAO_\` that is not listed here, a
malformed value, or values that contradict each other stop the start; every fault is named. A secret may be given by a file: set
\`<NAME>_FILE\` to its path instead of \`<NAME>\`. \`node src/main.ts serve --print-config\` shows what is in force, secrets masked.
`;

function describeVariable({ name, shownDefault, description, secret }: Variable<unknown>): string {
  const preset = shownDefault === undefined ? 'none' : `\`${shownDefault}\``;
  return `| \`${name}\` | ${preset} | ${description}${secret ? ` Secret; or \`${name}_FILE\`.` : ''} |`;
}

/** The values in force as lines of \`section.name = value\`, secrets masked: what \`--print-config\` writes. */
export function printConfig(config: Config): string {
  return Object.entries(config)
    .flatMap(([section, values]) =>
      Object.entries(values).map(([name, value]) => `${section}.${name} = ${shown(section, name, value)}`),
    )
    .join('\n');
}

function shown(section: string, name: string, value: unknown): string {
  const sections: Readonly<Record<string, Readonly<Record<string, Variable<unknown>>>>> = VARIABLES;
  const masked = sections[section]?.[name]?.secret === true && value !== '';
  return masked ? '********' : JSON.stringify(value ?? null);
}
