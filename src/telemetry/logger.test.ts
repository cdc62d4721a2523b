import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from './logger.ts';
import { within } from './tracing/current-span.ts';

function capture(): { lines: Record<string, unknown>[]; write(line: string): void } {
  const lines: Record<string, unknown>[] = [];
  return { lines, write: (line) => lines.push(JSON.parse(line)) };
}

test('a line has stable field names', () => {
  const output = capture();
  createLogger({ level: 'info', role: 'serve' }, output).warn({ event: 'ledger_closed' }, 'closed');
  expect(output.lines).toEqual([
    {
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      role: 'serve',
      event: 'ledger_closed',
      message: 'closed',
    },
  ]);
});

// SPEC S3
test('tokens, phones and the arguments of failed commands are not written', () => {
  const output = capture();
  const logger = createLogger({ level: 'debug', role: 'serve' }, output);
  const failed = Object.assign(new Error('LOADING'), {
    command: { name: 'evalsha', args: ['wallet-of-alice'] },
  });
  logger.error({ err: failed }, 'failed');
  logger.info({
    authorization: 'Bearer hush',
    user: { phone: '+8613800000000' },
    request: { headers: { token: 'hush' } },
  });
  const text = JSON.stringify(output.lines);
  expect(text).not.toMatch(/wallet-of-alice|hush|13800000000/);
  expect(text).toContain('LOADING');
});

// SPEC C8
test('a line written for a call that is traced names its trace', async () => {
  const output = capture();
  const logger = createLogger({ level: 'info', role: 'serve' }, output);
  const nothing = (): void => {};
  const acts = {
    child: () => undefined,
    link: nothing,
    rename: nothing,
    set: nothing,
    fail: nothing,
    end: nothing,
  };
  await within({ traceId: 'a1', spanId: 'b2', ...acts }, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    logger.info('inside');
  });
  logger.info('outside');
  expect(output.lines[0]).toMatchObject({ message: 'inside', trace_id: 'a1', span_id: 'b2' });
  expect(output.lines[1]).not.toHaveProperty('trace_id');
});

test('lines below the level are not written', () => {
  const output = capture();
  createLogger({ level: 'error', role: 'serve' }, output).info('hello');
  expect(output.lines).toEqual([]);
});

/** A process that logs to its standard output: at each message one line, and with the last one it ends. */
function startTalker(): ChildProcess {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL('./logger.ts', import.meta.url).href)};
    const logger = createLogger({ level: 'info', role: 'serve' });
    process.on('message', (word) => {
      logger.info(word);
      if (word === 'end') {
        logger.fatal('the last words');
        process.exit(7);
      }
      process.send('said');
    });
    process.send('ready');`;
  const talker = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  onTestFinished(() => void talker.kill('SIGKILL'));
  return talker;
}

const TALK_LIMIT_MS = 30_000;

// SPEC C7: whoever reads the log may go before the process does.
test.each([0, 3])(
  'a process whose log nobody reads any more goes on, and ends when it should (%i lines later)',
  async (lines) => {
    const talker = startTalker();
    await once(talker, 'message');
    talker.stdout?.destroy();
    for (let line = 0; line < lines; line += 1) {
      talker.send('one more');
      await once(talker, 'message');
    }
    talker.send('end');
    expect(await once(talker, 'exit')).toEqual([7, null]);
  },
  TALK_LIMIT_MS,
);

test(
  'the last words of a process are written',
  async () => {
    const talker = startTalker();
    let log = '';
    talker.stdout?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await once(talker, 'message');
    talker.send('end');
    await once(talker, 'close');
    expect(log).toContain('the last words');
  },
  TALK_LIMIT_MS,
);
