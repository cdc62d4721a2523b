/** How an echo process is told what to answer, and how it says where it listens. */

/** Environment variable with the bytes to answer, as base64. */
export const ANSWER_VARIABLE = 'BENCH_ECHO_ANSWER';

/** Environment variable with the path of the method. */
export const PATH_VARIABLE = 'BENCH_ECHO_PATH';

/** What this echo answers, and to which path. */
export function echoSettings(): { readonly answer: Buffer; readonly path: string } {
  return {
    answer: Buffer.from(process.env[ANSWER_VARIABLE] ?? '', 'base64'),
    path: process.env[PATH_VARIABLE] ?? '/',
  };
}

/** Prints the port as one line of JSON, and ends the process when whoever started it is gone. */
export function announce(port: number): void {
  process.stdout.write(`${JSON.stringify({ port })}\n`);
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
}
