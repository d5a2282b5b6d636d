/**
 * The node that owns a key, by rendezvous hashing: everybody computes the same owner from the same nodes, and a node that
 * joins or leaves moves only its own share of the keys.
 * @returns undefined when there are no nodes
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

/** FNV-1a with MurmurHash3's finalizer: neighbouring names must not have neighbouring scores. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
