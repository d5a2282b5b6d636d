/**
 * The owner of a key, by rendezvous hashing: all nodes compute the same owner, and a node that joins or leaves moves
 * only its own keys.
 * @returns undefined without nodes
 */
export function ownerOf(key: string, nodes: readonly string[]): string | undefined {
  let owner: string | undefined
  let highest = -1
  for (const node of nodes) {
    const score = hash(node + key)
    if (score > highest) [owner, highest] = [node, score]
  }
  return owner
}

/** FNV-1a with MurmurHash3's finalizer: similar names must not have similar scores. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
