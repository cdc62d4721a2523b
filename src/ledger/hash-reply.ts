/** Replies of the driver with bulk strings as buffers, in shapes to work with. */

/** The elements of an array; none when the reply is no array. */
export function buffers(reply: unknown): (Buffer | null)[] {
  return Array.isArray(reply) ? reply : [];
}

/** Fields by name (latin1), of a reply that names and values alternate in. */
export function fieldsByName(parts: readonly (Buffer | null)[]): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [name, value] = [parts[index], parts[index + 1]];
    if (name && value) fields.set(name.toString('latin1'), value);
  }
  return fields;
}
