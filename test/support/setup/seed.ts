/**
 * The seed of what tests take for chance, which differs from run to run: `TEST_SEED=… npx vitest run …` repeats one. A
 * configuration is loaded once for each project: the first load chooses and prints the seed, for all.
 */
export function seedOfRun(): string {
  const given = process.env['TEST_SEED']
  if (given !== undefined) return given
  const seed = String(Date.now() % 2 ** 31)
  console.info(`TEST_SEED=${seed}`)
  process.env['TEST_SEED'] = seed
  return seed
}

/** Numbers in [0, 1) from a seed (Mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
