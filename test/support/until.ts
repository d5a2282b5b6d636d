/** Waits until a condition holds; fails with a sentence that says what was there instead. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
  describe: () => string = () => 'the condition did not come true',
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`After ${timeoutMs} ms: ${describe()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** For "nothing more comes": long enough for something that would come. */
export function quietPeriod(ms = 300): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
