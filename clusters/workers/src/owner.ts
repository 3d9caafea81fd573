/** Which of `names` a key belongs to: the same answer everywhere, and about as many keys for each. */
export function ownerOf(key: string, names: readonly string[]): string {
  return names[hashOf(key) % names.length]
}

/** FNV-1a, 32 bits, with a last mix so that the low bits are good for a small modulus. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
