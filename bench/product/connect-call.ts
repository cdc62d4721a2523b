/** Calls of the public API as JSON over HTTP: what staff tools do, and enough for setting up a benchmark. */

/** Time a call may take. */
const TIMEOUT_MS = 15_000;

/** Calls a unary method and returns its answer; throws with the answer's text when it is refused. */
export async function callConnect(
  port: number,
  token: string,
  method: string,
  message: object,
): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/hongbao.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(message),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** Calls a unary method with an encoded message and returns the encoded answer; throws when it is refused. */
export async function callConnectBytes(
  port: number,
  token: string,
  { path, body }: { readonly path: string; readonly body: Buffer<ArrayBuffer> },
): Promise<Buffer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/proto', authorization: `Bearer ${token}` },
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}
