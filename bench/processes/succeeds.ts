/** False when the change fails: what it is about has gone, or this user may not, or the kernel does not take it at this moment. */
export function succeeds(change: () => void): boolean {
  try {
    change();
    return true;
  } catch {
    return false;
  }
}
